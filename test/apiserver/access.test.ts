import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { KeyPair } from '../../cluster/certificates.ts';
import {
  configMap,
  CONFIG_MAPS,
  makeDefaultAccount,
  podNamed,
  PODS,
  startTestServer,
} from './test-server.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const roleRef = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
const user = (name: string) => ({ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name });

test('without credentials only health and version are open', async (t) => {
  const server = await startTestServer(t);
  const anonymous = { as: undefined };
  t.is((await server.get('/healthz', anonymous)).text, 'ok');
  t.is((await server.get('/version', anonymous)).body.minor, '36');
  t.regex(
    (await server.get('/readyz?verbose', anonymous)).text,
    /^\[\+\]ping ok\n\[\+\]etcd ok\n\[\+\]informer-sync ok\nreadyz check passed\n$/,
  );
  t.is(
    (await server.get('/livez?verbose&exclude=etcd&exclude=odd&exclude=log', anonymous)).text,
    '[+]ping ok\n[+]etcd excluded: ok\nwarn: some health checks cannot be excluded: no matches for "log","odd"\nlivez check passed\n',
  );
  t.is((await server.get('/readyz/etcd?verbose')).text, 'ok');
  t.is((await server.get('/livez/informer-sync')).status, 404);
  const refused = await server.get(CONFIG_MAPS, anonymous);
  t.is(refused.status, 401);
  t.like(refused.body, { reason: 'Unauthorized', message: 'Unauthorized', code: 401 });
  t.is((await server.get(CONFIG_MAPS, { token: 'nonsense' })).status, 401);
  t.is((await server.get('/healthz', { token: 'nonsense' })).status, 401);
});

test('roles decide, in the words of Kubernetes', async (t) => {
  const server = await startTestServer(t);
  const jane = await server.identity('jane');
  const refused = await server.get(CONFIG_MAPS, { as: jane });
  t.is(refused.status, 403);
  t.like(refused.body, {
    reason: 'Forbidden',
    message:
      'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
    details: { kind: 'configmaps' },
  });
  const path = await server.get('/metrics', { as: jane });
  t.is(path.body.message, 'forbidden: User "jane" cannot get path "/metrics"');
  const rules = [
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['a'], verbs: ['get', 'watch'] },
  ];
  await server.post(`${RBAC}/namespaces/default/roles`, { metadata: { name: 'reader' }, rules });
  await server.post(`${RBAC}/namespaces/default/rolebindings`, {
    metadata: { name: 'jane' },
    roleRef: roleRef('Role', 'reader'),
    subjects: [user('jane')],
  });
  await server.post(CONFIG_MAPS, configMap('a'));
  t.is((await server.get(`${CONFIG_MAPS}/a`, { as: jane })).status, 200);
  t.is((await server.get(`${CONFIG_MAPS}/b`, { as: jane })).status, 403);
  const watch = await server.watch(`${CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Da`, { as: jane });
  t.is((await watch.next())?.object.metadata.name, 'a');
  watch.end();
  await server.remove(`${RBAC}/namespaces/default/rolebindings/jane`);
  t.is((await server.get(`${CONFIG_MAPS}/a`, { as: jane })).status, 403);
});

test('a Namespace is reached by its own path alone', async (t) => {
  const server = await startTestServer(t);
  const jane = await server.identity('jane');
  const namespaces = '/api/v1/namespaces';
  for (const name of ['foo', 'victim']) await server.post(namespaces, { metadata: { name } });
  await server.post(`${RBAC}/namespaces/foo/rolebindings`, {
    metadata: { name: 'jane' },
    roleRef: roleRef('ClusterRole', 'cluster-admin'),
    subjects: [user('jane')],
  });
  const as = { as: jane };
  t.is((await server.get(`${namespaces}/foo`, as)).body.metadata.name, 'foo');
  t.is((await server.get(`${namespaces}/victim`, as)).status, 403);
  const nested = `${namespaces}/foo/namespaces`;
  for (const method of ['GET', 'PUT', 'PATCH', 'DELETE'])
    t.is((await server.call(method, `${nested}/victim`, as)).status, 404, method);
  t.is((await server.call('PUT', `${nested}/victim/finalize`, as)).status, 404);
  t.is((await server.get(nested, as)).status, 404);
  t.is((await server.get(`${nested}?watch=true`, as)).status, 404);
  t.is((await server.post(nested, { metadata: { name: 'new' } }, as)).status, 404);
  t.is((await server.get(`${namespaces}/victim`)).body.status.phase, 'Active');
});

test('who may change objects may not make them', async (t) => {
  const server = await startTestServer(t);
  const jane = await server.identity('jane');
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  const rules = [
    { apiGroups: ['', 'coordination.k8s.io'], resources: ['*'], verbs: ['get', 'update', 'patch'] },
  ];
  await server.post(`${RBAC}/clusterroles`, { metadata: { name: 'changer' }, rules });
  await server.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'jane' },
    roleRef: roleRef('ClusterRole', 'changer'),
    subjects: [user('jane')],
  });
  const lease = { metadata: { name: 'l' }, spec: { leaseDurationSeconds: 1 } };
  const put = await server.put(`${leases}/l`, lease, { as: jane });
  t.is(put.status, 403);
  t.is(
    put.body.message,
    'leases.coordination.k8s.io "l" is forbidden: User "jane" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"',
  );
  t.is((await server.get(`${leases}/l`)).status, 404);
  const apply = (as = server.admin) =>
    server.patch(
      `${CONFIG_MAPS}/a?fieldManager=jane`,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { x: '1' } },
      'application/apply-patch+yaml',
      { as },
    );
  t.is((await apply(jane)).status, 403);
  t.is((await apply()).status, 201);
  t.is((await apply(jane)).status, 200);
  t.is((await server.put(`${leases}/l`, lease)).status, 201);
});

test('nobody grants what they do not have', async (t) => {
  const server = await startTestServer(t);
  const jane = await server.identity('jane');
  const all = [
    { apiGroups: ['rbac.authorization.k8s.io'], resources: ['*'], verbs: ['create', 'get', 'update'] },
  ];
  await server.post(`${RBAC}/clusterroles`, { metadata: { name: 'rbac' }, rules: all });
  const subjects = [user('jane')];
  await server.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'rbac' },
    roleRef: roleRef('ClusterRole', 'rbac'),
    subjects,
  });
  const rules = [{ apiGroups: [''], resources: ['secrets'], verbs: ['get'] }];
  const role = await server.post(
    `${RBAC}/namespaces/default/roles`,
    { metadata: { name: 'r' }, rules },
    { as: jane },
  );
  t.is(role.status, 403);
  t.regex(
    role.body.message,
    /is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["secrets"\], Verbs:\["get"\]\}$/,
  );
  const binding = await server.post(
    `${RBAC}/clusterrolebindings`,
    { metadata: { name: 'b' }, roleRef: roleRef('ClusterRole', 'cluster-admin'), subjects },
    { as: jane },
  );
  t.is(binding.status, 403);
});

test('impersonation needs its right', async (t) => {
  const server = await startTestServer(t);
  const as = (name: string) => ({ headers: { 'impersonate-user': name } });
  const refused = await server.get(CONFIG_MAPS, as('joe'));
  t.regex(refused.body.message, /User "joe" cannot list resource "configmaps"/);
  const jane = await server.identity('jane');
  const notAllowed = await server.get(CONFIG_MAPS, { ...as('joe'), as: jane });
  t.is(
    notAllowed.body.message,
    'users "joe" is forbidden: User "jane" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const group = await server.get(CONFIG_MAPS, {
    headers: { 'impersonate-user': 'joe', 'impersonate-group': 'system:masters' },
  });
  t.is(group.status, 200);
  t.is((await server.get(CONFIG_MAPS, { headers: { 'impersonate-group': 'x' } })).status, 400);
  t.is((await server.get(CONFIG_MAPS, as(''))).status, 200);
  const nobody = { 'impersonate-user': '', 'impersonate-group': 'x' };
  t.is((await server.get(CONFIG_MAPS, { headers: nobody })).status, 400);
  const whoIs = async (headers: Record<string, string | string[]>) => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    const path = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
    return (await server.post(path, review, { headers })).body.status.userInfo;
  };
  t.like(await whoIs({ 'impersonate-user': 'joe', 'impersonate-extra-a%2': 'b' }), {
    groups: ['system:authenticated'],
    extra: { 'a%2': ['b'] },
  });
  t.deepEqual((await whoIs({ 'impersonate-user': 'joe', 'impersonate-group': ['CN=a,O=b', 'c'] })).groups, [
    'CN=a,O=b',
    'c',
    'system:authenticated',
  ]);
  const admin = { 'impersonate-group': 'system:masters' };
  t.deepEqual((await whoIs({ ...admin, 'impersonate-user': 'system:anonymous' })).groups, [
    'system:masters',
    'system:unauthenticated',
  ]);
});

test('service account tokens are bound to their account and Pod', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const { body: pod } = await server.post(PODS, podNamed('web'));
  const request = (spec: object) =>
    server.post('/api/v1/namespaces/default/serviceaccounts/default/token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec,
    });
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: pod.metadata.uid as string };
  const { body: bound, status } = await request({ boundObjectRef, expirationSeconds: 600 });
  t.is(status, 201);
  const token = bound.status.token as string;
  const refused = await server.get(CONFIG_MAPS, { token });
  t.regex(refused.body.message, /User "system:serviceaccount:default:default" cannot list/);
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const reviewed = await server.post('/apis/authentication.k8s.io/v1/tokenreviews', review);
  t.true(reviewed.body.status.authenticated);
  t.deepEqual(reviewed.body.status.user.extra['authentication.kubernetes.io/pod-name'], ['web']);
  await server.remove(`${PODS}/web`);
  t.is((await server.get(CONFIG_MAPS, { token })).status, 401);
  const { body: other } = await request({ audiences: ['https://other'] });
  t.is((await server.get(CONFIG_MAPS, { token: other.status.token as string })).status, 401);
  const short = await request({ expirationSeconds: 10 });
  t.regex(short.body.message, /may not specify a duration less than 10 minutes/);
  const stale = await request({ boundObjectRef });
  t.is(stale.status, 404);
  await server.post('/api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'other' } });
  await server.post(PODS, podNamed('foreign', { serviceAccountName: 'other' }));
  const foreign = await request({ boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'foreign' } });
  t.is(foreign.status, 400);
  t.is(
    foreign.body.message,
    'cannot bind token for serviceaccount "default" to pod running with different serviceaccount name.',
  );
  for (const [apiVersion, kind, shown] of [
    ['v1', 'ConfigMap', '/v1, Kind=ConfigMap'],
    ['apps/v1', 'Pod', 'apps/v1, Kind=Pod'],
    ['v1', 'constructor', '/v1, Kind=constructor'],
  ]) {
    const unknown = await request({ boundObjectRef: { apiVersion, kind, name: 'x' } });
    t.is(unknown.status, 400);
    t.is(unknown.body.message, `cannot bind token to object of type ${shown}`);
  }
});

test('a kubelet sees its node, its Pods and what they need, no more', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const kubelet = await server.identity('system:node:node-1', ['system:nodes']);
  const as = { as: kubelet };
  t.is((await server.post('/api/v1/nodes', { metadata: { name: 'node-1' } }, as)).status, 201);
  const other = await server.post('/api/v1/nodes', { metadata: { name: 'node-2' } }, as);
  t.is(
    other.body.message,
    'nodes "node-2" is forbidden: node "node-1" is not allowed to modify node "node-2"',
  );
  const all = await server.get('/api/v1/pods', as);
  t.regex(all.body.message, /can only list\/watch pods with spec\.nodeName field selector$/);
  t.is((await server.get('/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1', as)).status, 200);
  await server.post(CONFIG_MAPS, configMap('wanted'));
  const escaped = await server.get(
    '/api/v1/namespaces/default/secrets?fieldSelector=type!%3Dx%5C,metadata.name%3Dwanted',
    as,
  );
  t.regex(escaped.body.message, /: No Object name found$/);
  const nodes = await server.get('/api/v1/nodes', as);
  t.regex(nodes.body.message, /: node 'node-1' cannot read all nodes, only its own Node object$/);
  t.is((await server.get('/api/v1/nodes?fieldSelector=metadata.name%3Dnode-1', as)).status, 200);
  const unrelated = await server.get(`${CONFIG_MAPS}/wanted`, as);
  t.regex(unrelated.body.message, /no relationship found between node 'node-1' and this object$/);
  const volumes = [{ name: 'v', configMap: { name: 'wanted' } }];
  await server.post(PODS, podNamed('mine', { nodeName: 'node-1', volumes }));
  t.is((await server.get(`${CONFIG_MAPS}/wanted`, as)).status, 200);
  const watch = await server.watch(`${CONFIG_MAPS}?watch=1&fieldSelector=metadata.name%3Dwanted`, as);
  t.is((await watch.next())?.object.metadata.name, 'wanted');
  watch.end();
  await server.post(PODS, podNamed('theirs', { nodeName: 'node-2' }));
  t.is((await server.get(`${PODS}/theirs`, as)).status, 403);
  t.is((await server.get(`${PODS}/gone`, as)).status, 404);
  const status = { status: { phase: 'Running' } };
  t.is((await server.patch(`${PODS}/mine/status`, status, undefined, as)).status, 200);
  const foreign = await server.patch(`${PODS}/theirs/status`, status, undefined, as);
  t.regex(
    foreign.body.message,
    /node "node-1" can only update pod status for pods with spec\.nodeName set to itself$/,
  );
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'theirs' } };
  t.is((await server.post(`${PODS}/theirs/eviction`, eviction, as)).status, 403);
  t.is((await server.get(`${PODS}/theirs`)).body.status.conditions, undefined);
  const pod = await server.post(PODS, podNamed('plain', { nodeName: 'node-1' }), as);
  t.regex(pod.body.message, /node "node-1" can only create mirror pods$/);
});

test('a static Pod may not lead a node to what it may not read', async (t) => {
  const server = await startTestServer(t);
  const as = { as: await server.identity('system:node:node-1', ['system:nodes']) };
  const node = await server.post('/api/v1/nodes', { metadata: { name: 'node-1' } }, as);
  const { uid } = node.body.metadata;
  const post = async (name: string, spec: object) => {
    const mirror = podNamed(name, { nodeName: 'node-1', ...spec });
    const metadata = {
      name,
      annotations: { 'kubernetes.io/config.mirror': 'x' },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'node-1', uid, controller: true }],
    };
    return (await server.post(PODS, { ...mirror, metadata }, as)).body;
  };
  t.is((await post('plain', {})).kind, 'Pod');
  const refused = async (spec: object) =>
    /can not create pods that reference (.*)$/.exec((await post('p', spec)).message)?.[1];
  const withVolume = (source: object) => refused({ volumes: [{ name: 'v', ...source }] });
  t.is(await withVolume({ configMap: { name: 'c' } }), 'configmaps');
  t.is(await withVolume({ persistentVolumeClaim: { claimName: 'c' } }), 'persistentvolumeclaims');
  t.is(await withVolume({ csi: { driver: 'd.example.com' } }), 'csidrivers (via CSI volumes)');
  const secret = await post('p', { volumes: [{ name: 'v', secret: { secretName: 's' } }] });
  t.is(secret.message, 'pods "p" is forbidden: a mirror pod may not reference secrets');
});

test('what a node made up itself leads it nowhere', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const as = { as: await server.identity('system:node:node-1', ['system:nodes']) };
  await server.post(CONFIG_MAPS, configMap('wanted'));
  const volumes = [{ name: 'v', configMap: { name: 'wanted' } }];
  const mirror = podNamed('mirror', { nodeName: 'node-1', volumes });
  const annotations = { 'kubernetes.io/config.mirror': 'x' };
  t.is((await server.post(PODS, { ...mirror, metadata: { name: 'mirror', annotations } })).status, 201);
  t.is((await server.get(`${PODS}/mirror`, as)).status, 200);
  t.is((await server.get(`${CONFIG_MAPS}/wanted`, as)).status, 403);
  // One name more in the selector takes nothing from the right to the node's own Pods.
  const selector = 'fieldSelector=spec.nodeName%3Dnode-1,metadata.name%3Dother';
  t.is((await server.get(`/api/v1/pods?${selector}`, as)).status, 200);
  const nameless = { as: await server.identity('system:node:', ['system:nodes']) };
  const nodes = await server.get('/api/v1/nodes', nameless);
  t.is(nodes.status, 403);
  t.regex(nodes.body.message, /: unknown node for user "system:node:"$/);
});

test('reviews answer what may be done', async (t) => {
  const server = await startTestServer(t);
  const ask = (spec: object) =>
    server.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec,
    });
  const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'default' };
  t.false((await ask({ user: 'jane', resourceAttributes })).body.status.allowed);
  t.true((await ask({ user: 'jane', groups: ['system:masters'], resourceAttributes })).body.status.allowed);
});

test('reviews ask within selectors, and tell which they could not read', async (t) => {
  const server = await startTestServer(t);
  const ask = async (selectors: object) => {
    const resourceAttributes = { verb: 'list', resource: 'pods', ...selectors };
    const spec = { user: 'system:node:node-1', groups: ['system:nodes'], resourceAttributes };
    const { body } = await server.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec });
    return [body.status.allowed, body.status.evaluationError];
  };
  const fields = (...requirements: object[]) => ({ fieldSelector: { requirements } });
  const ofNode = { key: 'spec.nodeName', operator: 'In', values: ['node-1'] };
  const ignored = 'spec.resourceAttributes.fieldSelector ignored due to parse error';
  t.deepEqual(await ask({}), [false, undefined]);
  t.deepEqual(await ask({ fieldSelector: { rawSelector: 'spec.nodeName=node-1' } }), [true, undefined]);
  t.deepEqual(await ask({ fieldSelector: { rawSelector: 'spec.nodeName' } }), [false, ignored]);
  t.deepEqual(await ask(fields(ofNode)), [true, undefined]);
  t.deepEqual(await ask(fields({ ...ofNode, operator: 'NotIn' })), [false, undefined]);
  t.deepEqual(await ask(fields({ ...ofNode, values: ['node-1', 'node-2'] })), [false, ignored]);
  t.deepEqual(await ask(fields({ ...ofNode, key: 'spec.nodeName=node-1,a' })), [false, ignored]);
  t.deepEqual(await ask(fields(ofNode, { key: 'a', operator: 'Newer' })), [
    true,
    'spec.resourceAttributes.fieldSelector partially ignored due to parse error',
  ]);
  const labelSelector = { requirements: [{ key: 'a', operator: 'Newer' }] };
  t.deepEqual(await ask({ fieldSelector: { rawSelector: 'a' }, labelSelector }), [
    false,
    `${ignored}; spec.resourceAttributes.labelSelector ignored due to parse error`,
  ]);
  t.deepEqual(await ask({ ...fields(ofNode), labelSelector: { rawSelector: 'a in (b)' } }), [
    true,
    undefined,
  ]);
});

test('a review is no table', async (t) => {
  const server = await startTestServer(t);
  const ask = (accept: string) =>
    server.post(
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      { spec: { nonResourceAttributes: { path: '/', verb: 'get' } } },
      { headers: { accept } },
    );
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
  t.is((await ask(table)).status, 406);
  t.true((await ask(`${table},application/json`)).body.status.allowed);
});

test('reviews that ask nothing, or too much, are refused', async (t) => {
  const server = await startTestServer(t);
  const ask = async (path: string, body: object) => {
    const answer = await server.post(`/apis/authorization.k8s.io/v1/${path}`, body);
    t.is(answer.status, 422);
    return answer.body.message as string;
  };
  const nonResourceAttributes = { path: '/healthz', verb: 'get' };
  const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'other' };
  const refused = (kind: string, errors: string) => `${kind}.authorization.k8s.io "" is invalid: ${errors}`;
  const none =
    'spec.resourceAttributes: Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified';
  const both =
    'spec.nonResourceAttributes: Invalid value: {"Path":"/healthz","Verb":"get"}: cannot be specified in combination with resourceAttributes';
  const nobody = 'spec.user: Invalid value: "": at least one of user or group must be specified';
  t.is(await ask('subjectaccessreviews', {}), refused('SubjectAccessReview', `[${none}, ${nobody}]`));
  t.is(
    await ask('selfsubjectaccessreviews', { spec: { resourceAttributes, nonResourceAttributes } }),
    refused('SelfSubjectAccessReview', both),
  );
  t.is(
    await ask('selfsubjectaccessreviews', { metadata: { name: 'a' }, spec: { nonResourceAttributes } }),
    refused('SelfSubjectAccessReview', 'metadata: Invalid value: {"name":"a"}: must be empty'),
  );
  const selecting = (selectors: object) =>
    ask('selfsubjectaccessreviews', {
      spec: { resourceAttributes: { ...resourceAttributes, ...selectors } },
    });
  const at = (field: string) => `spec.resourceAttributes.${field}`;
  t.is(
    await selecting({ fieldSelector: { rawSelector: 'a=b', requirements: [{ operator: 'In' }] } }),
    refused(
      'SelfSubjectAccessReview',
      `[${[
        `${at('fieldSelector.rawSelector')}: Invalid value: "a=b": may not specified at the same time as requirements`,
        `${at('fieldSelector.requirements[0].key')}: Required value: must be specified`,
        `${at('fieldSelector.requirements[0].values')}: Required value: must be specified when \`operator\` is 'In' or 'NotIn'`,
      ].join(', ')}]`,
    ),
  );
  t.is(
    await selecting({ labelSelector: {} }),
    refused(
      'SelfSubjectAccessReview',
      `${at('labelSelector.requirements')}: Required value: when spec.resourceAttributes.labelSelector is specified, requirements or rawSelector is required`,
    ),
  );
  const local = 'namespaces/default/localsubjectaccessreviews';
  t.is(
    await ask(local, { spec: { user: 'jane', resourceAttributes } }),
    refused(
      'LocalSubjectAccessReview',
      'spec.resourceAttributes.namespace: Invalid value: "other": must match metadata.namespace',
    ),
  );
  t.is(
    await ask(local, { spec: { user: 'jane', nonResourceAttributes } }),
    refused(
      'LocalSubjectAccessReview',
      'spec.nonResourceAttributes: Invalid value: {"Path":"/healthz","Verb":"get"}: disallowed on this kind of request',
    ),
  );
});

test('a list of rules tells of the roles that are not there', async (t) => {
  const server = await startTestServer(t);
  const jane = await server.identity('jane');
  const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default';
  const bind = (kind: string, name: string) =>
    server.post(`${roles}/rolebindings`, {
      metadata: { name: `${kind.toLowerCase()}-${name}` },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
      subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
    });
  const statusOf = async () =>
    (
      await server.post(
        '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
        { spec: { namespace: 'default' } },
        { as: jane },
      )
    ).body.status;
  await bind('Role', 'x');
  const one = 'role.rbac.authorization.k8s.io "x" not found';
  t.like(await statusOf(), { incomplete: false, evaluationError: one });
  await bind('ClusterRole', 'y');
  const other = 'clusterrole.rbac.authorization.k8s.io "y" not found';
  t.like(await statusOf(), { incomplete: false, evaluationError: `[${other}, ${one}]` });
});

test('the rules of a node are not all that it may do', async (t) => {
  const server = await startTestServer(t);
  const review = { spec: { namespace: 'default' } };
  const statusFor = async (as: KeyPair) =>
    (await server.post('/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', review, { as })).body.status;
  const node = await server.identity('system:node:node-1', ['system:nodes']);
  t.like(await statusFor(node), {
    incomplete: true,
    evaluationError: 'node authorizer does not support user rule resolution',
  });
  const { incomplete, evaluationError } = await statusFor(server.admin);
  t.deepEqual([incomplete, evaluationError], [false, undefined]);
});

test('Secrets are not readable in the store', async (t) => {
  const server = await startTestServer(t);
  const words = 'correct-horse-battery-staple';
  const stringData = { password: words };
  const created = await server.post('/api/v1/namespaces/default/secrets', {
    metadata: { name: 's' },
    stringData,
  });
  const encoded = Buffer.from(words).toString('base64');
  t.deepEqual(created.body.data, { password: encoded });
  await server.post(CONFIG_MAPS, configMap('plain', { words: 'plainly-visible' }));
  await server.restart();
  t.is((await server.get('/api/v1/namespaces/default/secrets/s')).body.data.password, encoded);
  const files = readdirSync(server.storeDir).map((file) => readFileSync(join(server.storeDir, file)));
  t.true(files.some((file) => file.includes('plainly-visible')));
  t.false(files.some((file) => file.includes(words) || file.includes(encoded)));
});
