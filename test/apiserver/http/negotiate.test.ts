import test from 'ava';
import { negotiate } from '../../../apiserver/http/negotiate.ts';
import { requestInfo } from '../../../apiserver/http/request-info.ts';

test('takes the first clause that can be served', (t) => {
  const json = { as: 'object', mediaType: 'application/json' } as const;
  t.deepEqual(negotiate(undefined), json);
  t.deepEqual(negotiate('*/*'), json);
  t.deepEqual(negotiate('application/vnd.kubernetes.protobuf,application/json'), json);
  t.deepEqual(negotiate('application/json;q=0.5,application/yaml'), {
    as: 'object',
    mediaType: 'application/yaml',
  });
  t.deepEqual(negotiate('application/json;as=Table;v=v1;g=meta.k8s.io,application/json'), {
    as: 'Table',
    mediaType: 'application/json',
    version: 'v1',
  });
  t.deepEqual(negotiate('application/json;as=Table;v=v9;g=meta.k8s.io,application/json'), json);
  t.is(negotiate('application/vnd.kubernetes.protobuf'), undefined);
  t.is(negotiate('text/html'), undefined);
});

test('reads paths as Kubernetes does', (t) => {
  const read = (method: string, url: string) => {
    const { verb, group, namespace, resource, subresource, name, isResource, rest } = requestInfo(
      method,
      url,
    );
    return { verb, group, namespace, resource, subresource, name, isResource, rest };
  };
  const base = { group: '', namespace: '', subresource: '', name: '', rest: '', isResource: true };
  t.deepEqual(read('GET', '/api/v1/pods'), { ...base, verb: 'list', resource: 'pods' });
  t.deepEqual(read('GET', '/api/v1/pods?watch=1'), { ...base, verb: 'watch', resource: 'pods' });
  t.deepEqual(read('DELETE', '/api/v1/namespaces/a/pods'), {
    ...base,
    verb: 'deletecollection',
    namespace: 'a',
    resource: 'pods',
  });
  t.deepEqual(read('PUT', '/api/v1/namespaces/a/finalize'), {
    ...base,
    verb: 'update',
    namespace: 'a',
    resource: 'namespaces',
    name: 'a',
    subresource: 'finalize',
  });
  t.deepEqual(read('POST', '/apis/apps/v1/namespaces/a/deployments/b/scale'), {
    ...base,
    verb: 'create',
    group: 'apps',
    namespace: 'a',
    resource: 'deployments',
    name: 'b',
    subresource: 'scale',
  });
  t.is(read('GET', '/api/v1//nodes/n/proxy/a%2Fb//c/').rest, '/a%2Fb//c/');
  t.is(read('GET', '/api/v1/nodes/n/proxy').rest, '');
  t.like(read('GET', '/api/v1/nodes/n/proxy/stats/summary'), {
    name: 'n',
    subresource: 'proxy',
    rest: '/stats/summary',
  });
  for (const path of ['/api', '/api/v1', '/apis/apps/v1', '/healthz', '/'])
    t.false(read('GET', path).isResource, path);
});
