import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import {
  configMap,
  CONFIG_MAPS,
  makeDefaultAccount,
  podNamed,
  PODS,
  startTestServer,
} from './test-server.ts';
import type { Answer } from './test-server.ts';

const names = ({ body }: Answer): string[] =>
  (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);

test('pages are one consistent list, though writes go on', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['a', 'b', 'c', 'd', 'e']) await server.post(CONFIG_MAPS, configMap(name));
  const first = await server.get(`${CONFIG_MAPS}?limit=2`);
  t.deepEqual(names(first), ['a', 'b']);
  t.is(first.body.metadata.remainingItemCount, 3);
  await server.post(CONFIG_MAPS, configMap('bb'));
  await server.remove(`${CONFIG_MAPS}/d`);
  const next = (page: Answer) =>
    server.get(`${CONFIG_MAPS}?limit=2&continue=${page.body.metadata.continue as string}`);
  const second = await next(first);
  t.deepEqual(names(second), ['c', 'd']);
  t.is(second.body.metadata.resourceVersion, first.body.metadata.resourceVersion);
  t.is(second.body.metadata.remainingItemCount, 1);
  const third = await next(second);
  t.deepEqual(names(third), ['e']);
  t.is(third.body.metadata.continue, undefined);
  t.is(third.body.metadata.remainingItemCount, undefined);
  t.deepEqual(names(await server.get(CONFIG_MAPS)), ['a', 'b', 'bb', 'c', 'e']);
  const wrong = await server.get(`${CONFIG_MAPS}?limit=2&continue=nonsense`);
  t.is(wrong.status, 400);
  t.is(wrong.body.message, 'invalid continue token: continue key is not valid: illegal base64 data');
  await server.restart();
  const afterRestart = await next(first);
  t.deepEqual(names(afterRestart), ['c', 'd']);
  t.is(afterRestart.body.metadata.remainingItemCount, 1);
});

test('how many are to come is not told where selectors choose', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['a', 'b', 'c', 'd', 'e'])
    await server.post(CONFIG_MAPS, configMap(name, {}, { x: 'y' }));
  const path = `${CONFIG_MAPS}?limit=2&labelSelector=x%3Dy`;
  const first = await server.get(path);
  t.truthy(first.body.metadata.continue);
  t.is(first.body.metadata.remainingItemCount, undefined);
  const second = await server.get(`${path}&continue=${first.body.metadata.continue as string}`);
  t.deepEqual(names(second), ['c', 'd']);
  t.is(second.body.metadata.remainingItemCount, undefined);
});

const tokenOf = (token: object): string => Buffer.from(JSON.stringify(token)).toString('base64url');

test('a list whose revision is forgotten can be gone on with in the newest state', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'pp-list-'));
  const store = openEmbeddedStore({ dir });
  t.teardown(async () => {
    await store.close();
    rmSync(dir, { recursive: true });
  });
  const server = await startTestServer(t, { store });
  for (const name of ['a', 'b', 'c', 'd', 'e']) await server.post(CONFIG_MAPS, configMap(name));
  const first = await server.get(`${CONFIG_MAPS}?limit=2`);
  await server.post(CONFIG_MAPS, configMap('bb'));
  await store.compact(await store.currentRevision());
  const expired = await server.get(
    `${CONFIG_MAPS}?limit=2&continue=${first.body.metadata.continue as string}`,
  );
  t.is(expired.status, 410);
  t.is(expired.body.reason, 'Expired');
  t.regex(expired.body.message, /or use the continue token in this response to retrieve the remainder/);
  const token = expired.body.metadata.continue as string;
  const second = await server.get(`${CONFIG_MAPS}?limit=2&continue=${token}`);
  t.deepEqual(names(second), ['bb', 'c']);
  t.is(second.body.metadata.remainingItemCount, 2);
  t.true(
    Number(second.body.metadata.resourceVersion) > Number(first.body.metadata.resourceVersion as string),
  );
  const third = await server.get(
    `${CONFIG_MAPS}?limit=2&continue=${second.body.metadata.continue as string}`,
  );
  t.deepEqual(names(third), ['d', 'e']);
  t.is(third.body.metadata.resourceVersion, second.body.metadata.resourceVersion);
  t.is(third.body.metadata.continue, undefined);
  const refused = async (change: object, query = '') => {
    const made = tokenOf({ v: 'meta.k8s.io/v1', rv: 1, start: 'default/a', ...change });
    return (await server.get(`${CONFIG_MAPS}?continue=${made}${query}`)).body.message as string;
  };
  t.regex(await refused({ v: 'x' }), /server does not recognize this encoded version x$/);
  t.regex(await refused({ rv: 0 }), /incorrect encoded start resourceVersion/);
  t.regex(await refused({ start: '' }), /encoded start key empty/);
  t.regex(await refused({ start: '../secrets/a' }), /continue key is not valid: \.\.\/secrets\/a$/);
  t.regex(await refused({}, '&resourceVersion=5'), /^specifying resource version is not allowed/);
  t.regex(await refused({ rv: 1e9 }), /^Timeout: Too large resource version/);
});

test('resourceVersion and resourceVersionMatch', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const old = (await server.get(CONFIG_MAPS)).body.metadata.resourceVersion as string;
  await server.post(CONFIG_MAPS, configMap('b'));
  t.deepEqual(names(await server.get(`${CONFIG_MAPS}?resourceVersion=${old}&resourceVersionMatch=Exact`)), [
    'a',
  ]);
  t.deepEqual(
    names(await server.get(`${CONFIG_MAPS}?resourceVersion=${old}&resourceVersionMatch=NotOlderThan`)),
    ['a', 'b'],
  );
  t.deepEqual(names(await server.get(`${CONFIG_MAPS}?resourceVersion=0`)), ['a', 'b']);
  const invalid = await server.get(`${CONFIG_MAPS}?resourceVersionMatch=Exact`);
  t.is(invalid.status, 422);
  const future = await server.get(`${CONFIG_MAPS}?resourceVersion=999999`);
  t.is(future.status, 504);
  t.is(future.body.details.causes[0].reason, 'ResourceVersionTooLarge');
  t.is((await server.get(`${CONFIG_MAPS}?resourceVersion=abc`)).status, 400);
});

test('the options of a list that cannot be are all told', async (t) => {
  const server = await startTestServer(t);
  const refused = async (query: string) => {
    const { status, body } = await server.get(`${CONFIG_MAPS}?${query}`);
    return `${status} ${body.message}`;
  };
  const invalid = '422 ListOptions.meta.k8s.io "" is invalid:';
  t.is(
    await refused('sendInitialEvents=false'),
    `${invalid} sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list`,
  );
  t.is(
    await refused('resourceVersion=0&resourceVersionMatch=Exact&sendInitialEvents=true'),
    `${invalid} [resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0", sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list]`,
  );
  t.is(
    await refused('watch=true&resourceVersionMatch=Exact&sendInitialEvents=true'),
    `${invalid} [resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]`,
  );
});

test('label and field selectors', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(CONFIG_MAPS, configMap('a', {}, { app: 'web', tier: 'front' }));
  await server.post(CONFIG_MAPS, configMap('b', {}, { app: 'db' }));
  const select = (query: string) => server.get(`${CONFIG_MAPS}?${query}`);
  t.deepEqual(names(await select('labelSelector=app%20in%20(web,db),!tier')), ['b']);
  t.deepEqual(names(await select('labelSelector=app!%3Dweb')), ['b']);
  t.deepEqual(names(await select('fieldSelector=metadata.name%3Da')), ['a']);
  t.deepEqual(names(await select('fieldSelector=metadata.name!%3Da,metadata.namespace%3Ddefault')), ['b']);
  await server.post(PODS, podNamed('one', { nodeName: 'node-1' }));
  await server.post(PODS, podNamed('two'));
  t.deepEqual(names(await server.get('/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1')), ['one']);
  t.deepEqual(names(await server.get('/api/v1/pods?fieldSelector=spec.nodeName%3D,status.phase%3DPending')), [
    'two',
  ]);
  const unknown = await server.get(`${PODS}?fieldSelector=spec.colour%3Dred`);
  t.is(unknown.status, 400);
  t.regex(unknown.body.message, /field label not supported: spec\.colour$/);
  t.is((await select('labelSelector=a%3D%3D%3Db')).status, 400);
});

test('lists of all namespaces, of metadata only and as tables', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a', { x: '1', y: '2' }));
  await server.post('/api/v1/namespaces/kube-system/configmaps', configMap('b'));
  const all = await server.get('/api/v1/configmaps');
  t.deepEqual(names(all), ['a', 'b']);
  const accept = (as: string) => ({
    headers: { accept: `application/json;as=${as};v=v1;g=meta.k8s.io,application/json` },
  });
  const table = await server.get(CONFIG_MAPS, accept('Table'));
  t.is(table.body.kind, 'Table');
  t.deepEqual(
    (table.body.columnDefinitions as { name: string }[]).map(({ name }) => name),
    ['Name', 'Data', 'Age'],
  );
  t.deepEqual(table.body.rows[0].cells.slice(0, 2), ['a', 2]);
  t.is(table.body.rows[0].object.kind, 'PartialObjectMetadata');
  const whole = await server.get(`${CONFIG_MAPS}?includeObject=Object`, accept('Table'));
  t.is(whole.body.rows[0].object.data.x, '1');
  const partial = await server.get(CONFIG_MAPS, accept('PartialObjectMetadataList'));
  t.is(partial.body.kind, 'PartialObjectMetadataList');
  t.false('data' in partial.body.items[0]);
  const one = await server.get(`${CONFIG_MAPS}/a`, accept('PartialObjectMetadata'));
  t.is(one.body.kind, 'PartialObjectMetadata');
});

test('events are one storage in two spellings', async (t) => {
  const server = await startTestServer(t);
  const core = {
    metadata: { name: 'e1' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'web', apiVersion: 'v1' },
    reason: 'Started',
    message: 'Started container',
    type: 'Normal',
    source: { component: 'kubelet', host: 'node-1' },
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  };
  t.is((await server.post('/api/v1/namespaces/default/events', core)).status, 201);
  const view = await server.get('/apis/events.k8s.io/v1/namespaces/default/events/e1');
  t.like(view.body, {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    note: 'Started container',
    regarding: { name: 'web' },
    deprecatedSource: { component: 'kubelet' },
    deprecatedCount: 1,
  });
  const found = await server.get('/api/v1/events?fieldSelector=involvedObject.name%3Dweb,reason%3DStarted');
  t.deepEqual(names(found), ['e1']);
  t.is(found.body.items[0].apiVersion, 'v1');
  const regarding = await server.get('/apis/events.k8s.io/v1/events?fieldSelector=regarding.name%3Dweb');
  t.is(regarding.body.items[0].apiVersion, 'events.k8s.io/v1');
});
