import { connect } from 'node:http2';
import test from 'ava';
import { configMap, CONFIG_MAPS, startTestServer } from './test-server.ts';

test('legacy and aggregated discovery tell the same', async (t) => {
  const server = await startTestServer(t);
  t.deepEqual((await server.get('/api')).body.versions, ['v1']);
  const groups = (await server.get('/apis')).body.groups as { name: string }[];
  t.true(groups.some(({ name }) => name === 'rbac.authorization.k8s.io'));
  const resources = (await server.get('/api/v1')).body.resources as {
    name: string;
    kind: string;
    verbs: string[];
  }[];
  const pods = resources.find(({ name }) => name === 'pods');
  const storageVersionHash = 'xPOwRZ+Yhw8=';
  t.like(pods, {
    kind: 'Pod',
    namespaced: true,
    shortNames: ['po'],
    categories: ['all'],
    storageVersionHash,
  });
  t.false('storageVersionHash' in (resources.find(({ name }) => name === 'bindings') ?? {}));
  const hashOfEvents = async (path: string) => {
    const listed = (await server.get(path)).body.resources as { name: string; storageVersionHash?: string }[];
    return listed.find(({ name }) => name === 'events')?.storageVersionHash;
  };
  t.is(await hashOfEvents('/apis/events.k8s.io/v1'), await hashOfEvents('/api/v1'));
  t.true(resources.some(({ name }) => name === 'pods/exec'));
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const core = await server.get('/api', { headers: { accept } });
  t.is(core.body.kind, 'APIGroupDiscoveryList');
  t.deepEqual(core.body.items[0].metadata, {});
  const [version] = core.body.items[0].versions as { resources: { resource: string; verbs: string[] }[] }[];
  t.deepEqual(version?.resources.find(({ resource }) => resource === 'pods')?.verbs, pods?.verbs);
  const etag = core.headers.etag ?? '';
  const cached = await server.get('/api', { headers: { accept, 'if-none-match': etag } });
  t.is(cached.status, 304);
  t.is((await server.get('/apis/nothing.example.com')).status, 404);
});

test('OpenAPI: an index with hashes, documents per group version, and version 2', async (t) => {
  const server = await startTestServer(t);
  const { paths } = (await server.get('/openapi/v3')).body as {
    paths: Record<string, { serverRelativeURL: string }>;
  };
  const url = paths['api/v1']?.serverRelativeURL ?? '';
  t.regex(url, /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/);
  const document = await server.get(url);
  t.regex(document.headers['cache-control'] ?? '', /immutable/);
  const pod = document.body.components.schemas['io.k8s.api.core.v1.Pod'];
  t.deepEqual(pod['x-kubernetes-group-version-kind'], [{ group: '', version: 'v1', kind: 'Pod' }]);
  const patch = document.body.paths['/api/v1/namespaces/{namespace}/pods/{name}'].patch;
  t.true((patch.parameters as { name: string }[]).some(({ name }) => name === 'fieldValidation'));
  const v2 = await server.get('/openapi/v2');
  t.is(v2.body.swagger, '2.0');
  const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf';
  const protobuf = await server.get('/openapi/v2', { headers: { accept } });
  t.is(protobuf.headers['content-type'], 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
  t.true(protobuf.text.startsWith('\n\u00032.0\u0012'), 'Document{swagger: "2.0", info …}');
  t.is((await server.get(url, { headers: { accept } })).status, 406);
});

test('metrics count requests', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const { text } = await server.get('/metrics');
  t.regex(
    text,
    /apiserver_request_total\{verb="CREATE",group="",version="v1",resource="configmaps",subresource="",code="201"\} 1/,
  );
});

test('HTTP/2 serves the same', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const session = connect(server.url, {
    ca: server.authority.cert,
    cert: server.admin.cert,
    key: server.admin.key,
  });
  t.teardown(() => session.destroy());
  const stream = session.request({ ':path': `${CONFIG_MAPS}/a` });
  const chunks: Buffer[] = [];
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
  t.is((JSON.parse(Buffer.concat(chunks).toString()) as { kind: string }).kind, 'ConfigMap');
});
