import type { ExecutionContext } from 'ava';
import test from 'ava';
import { startTestServer } from './test-server.ts';
import type { TestServer } from './test-server.ts';
import type { KeyPair } from '../../cluster/certificates.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ROLES = `${RBAC}/namespaces/default/roles`;
const ROLE_BINDINGS = `${RBAC}/namespaces/default/rolebindings`;
const apiGroup = 'rbac.authorization.k8s.io';

interface Rule {
  verbs: string[];
  apiGroups?: string[];
  resources?: string[];
  resourceNames?: string[];
  nonResourceURLs?: string[];
}

const READ_SECRETS: Rule = { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] };
const WRITE_ROLES: Rule = {
  apiGroups: [apiGroup],
  resources: ['*'],
  verbs: ['create', 'get', 'update', 'patch'],
};

const roleRef = (kind: string, name: string) => ({ apiGroup, kind, name });
const jane = [{ kind: 'User', apiGroup, name: 'jane' }];

/** A server, and jane who may do what `rules` say everywhere. */
async function serverWithJane(t: ExecutionContext, rules: Rule[]) {
  const server = await startTestServer(t);
  await server.post(`${RBAC}/clusterroles`, { metadata: { name: 'jane' }, rules });
  await server.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'jane' },
    roleRef: roleRef('ClusterRole', 'jane'),
    subjects: jane,
  });
  return { server, as: { as: await server.identity('jane') } };
}

const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { gather: 'yes' } }] };
const AGGREGATION_REFUSED =
  'clusterroles.rbac.authorization.k8s.io "all" is forbidden: must have cluster-admin privileges to use the aggregationRule';

test('only who has everything may gather roles that are not there yet', async (t) => {
  const { server, as } = await serverWithJane(t, [WRITE_ROLES]);
  const all = { metadata: { name: 'all' }, aggregationRule, rules: [] };
  const created = await server.post(`${RBAC}/clusterroles`, all, as);
  t.is(created.status, 403);
  t.is(created.body.message, AGGREGATION_REFUSED);
  t.is((await server.post(`${RBAC}/clusterroles`, { metadata: { name: 'all' } }, as)).status, 201);
  const path = `${RBAC}/clusterroles/all`;
  const added = await server.patch(path, { aggregationRule }, undefined, as);
  t.is(added.body.message, AGGREGATION_REFUSED);
  t.is((await server.patch(path, { aggregationRule })).status, 200);
  // Taking the rule away would keep what it has gathered.
  const removed = await server.patch(path, { aggregationRule: null }, undefined, as);
  t.is(removed.body.message, AGGREGATION_REFUSED);
});

test('who has every right, also to every path, or may escalate, may aggregate', async (t) => {
  const everything: Rule = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
  const everyPath: Rule = { verbs: ['*'], nonResourceURLs: ['*'] };
  const escalate: Rule = { ...WRITE_ROLES, verbs: ['escalate'] };
  const cases: [Rule[], number][] = [
    [[WRITE_ROLES, everyPath], 403],
    [[everything, everyPath], 201],
    [[WRITE_ROLES, escalate], 201],
  ];
  for (const [rules, status] of cases) {
    const { server, as } = await serverWithJane(t, rules);
    const all = { metadata: { name: 'all' }, aggregationRule };
    t.is((await server.post(`${RBAC}/clusterroles`, all, as)).status, status);
  }
});

test('a binding to a role that is not there is for those who may bind it', async (t) => {
  const bindLater: Rule = {
    apiGroups: [apiGroup],
    resources: ['clusterroles'],
    resourceNames: ['later'],
    verbs: ['bind'],
  };
  const { server, as } = await serverWithJane(t, [WRITE_ROLES, bindLater]);
  const bind = (path: string, name: string, reference: object) =>
    server.post(path, { metadata: { name }, roleRef: reference, subjects: jane }, as);
  const missing = await bind(`${RBAC}/clusterrolebindings`, 'a', roleRef('ClusterRole', 'gone'));
  t.is(missing.status, 404);
  t.like(missing.body, {
    reason: 'NotFound',
    message: 'clusterroles.rbac.authorization.k8s.io "gone" not found',
    details: { name: 'gone', group: apiGroup, kind: 'clusterroles' },
  });
  const role = await bind(ROLE_BINDINGS, 'a', roleRef('Role', 'gone'));
  t.is(role.body.message, 'roles.rbac.authorization.k8s.io "gone" not found');
  t.is((await bind(ROLE_BINDINGS, 'a', roleRef('ClusterRole', 'later'))).status, 201);
  // The role is there as soon as its write has been answered.
  for (let count = 0; count < 5; count++) {
    await server.post(ROLES, { metadata: { name: `r${count}` }, rules: [] }, as);
    t.is((await bind(ROLE_BINDINGS, `r${count}`, roleRef('Role', `r${count}`))).status, 201);
  }
});

test('a refusal tells of bindings to roles that are not there', async (t) => {
  const { server, as } = await serverWithJane(t, [WRITE_ROLES]);
  const bind = (name: string, reference: object) =>
    server.post(ROLE_BINDINGS, { metadata: { name }, roleRef: reference, subjects: jane });
  await bind('one', roleRef('Role', 'gone'));
  const secrets = '/api/v1/namespaces/default/secrets';
  const refused = 'User "jane" cannot list resource "secrets" in API group "" in the namespace "default"';
  const reason = async () => String((await server.get(secrets, as)).body.message).split(`${refused}: `)[1];
  t.is(await reason(), 'RBAC: role.rbac.authorization.k8s.io "gone" not found');
  await bind('two', roleRef('ClusterRole', 'gone'));
  await bind('three', roleRef('Role', 'gone'));
  t.is(
    await reason(),
    'RBAC: [role.rbac.authorization.k8s.io "gone" not found, clusterrole.rbac.authorization.k8s.io "gone" not found]',
  );
  const role = await server.post(ROLES, { metadata: { name: 'r' }, rules: [READ_SECRETS] }, as);
  t.is(
    role.body.message,
    [
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:',
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}; resolution errors: [[roles.rbac.authorization.k8s.io "gone" not found, clusterroles.rbac.authorization.k8s.io "gone" not found]]',
    ].join('\n'),
  );
});

test('what is missing is listed by resource, in order', async (t) => {
  const { server, as } = await serverWithJane(t, [WRITE_ROLES]);
  const rules: Rule[] = [
    { ...READ_SECRETS, resources: ['secrets', 'configmaps'] },
    { ...READ_SECRETS, verbs: ['watch'] },
    { ...READ_SECRETS, resourceNames: ['a', 'b'], verbs: ['delete'] },
    { verbs: ['get'], nonResourceURLs: ['/logs'] },
  ];
  const role = await server.post(`${RBAC}/clusterroles`, { metadata: { name: 'r' }, rules }, as);
  t.deepEqual(String(role.body.message).split('\n').slice(1), [
    '{APIGroups:[""], Resources:["configmaps"], Verbs:["get" "list"]}',
    '{APIGroups:[""], Resources:["secrets"], ResourceNames:["a"], Verbs:["delete"]}',
    '{APIGroups:[""], Resources:["secrets"], ResourceNames:["b"], Verbs:["delete"]}',
    '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list" "watch"]}',
    '{NonResourceURLs:["/logs"], Verbs:["get"]}',
  ]);
});

test('a right to escalate one role is none to create it', async (t) => {
  const escalate = { ...WRITE_ROLES, resourceNames: ['mine'], verbs: ['escalate'] };
  const { server, as } = await serverWithJane(t, [WRITE_ROLES, escalate]);
  const mine = { metadata: { name: 'mine' }, rules: [READ_SECRETS] };
  t.is((await server.post(ROLES, mine, as)).status, 403);
  t.is((await server.post(ROLES, { metadata: { name: 'mine' } }, as)).status, 201);
  t.is((await server.put(`${ROLES}/mine`, mine, as)).status, 200);
});

/** The answers to another's change of an object that waits for the garbage collector, to the collector's own, and to a look for it then. */
async function orphan(server: TestServer, path: string, as: { as: KeyPair }) {
  await server.remove(`${path}?propagationPolicy=Orphan`);
  const foreign = await server.patch(path, { metadata: { labels: { a: 'b' } } }, undefined, as);
  const own = await server.patch(path, { metadata: { finalizers: null } }, undefined, as);
  return [foreign, own, await server.get(path)].map(({ status }) => status);
}

test('the garbage collector needs none of the rights that it lets go', async (t) => {
  const { server, as } = await serverWithJane(t, [WRITE_ROLES]);
  await server.post(`${RBAC}/clusterroles`, { metadata: { name: 'r' }, rules: [READ_SECRETS] });
  await server.post(`${RBAC}/clusterrolebindings`, {
    metadata: { name: 'b' },
    roleRef: roleRef('ClusterRole', 'r'),
    subjects: [{ kind: 'User', apiGroup, name: 'joe' }],
  });
  t.deepEqual(await orphan(server, `${RBAC}/clusterrolebindings/b`, as), [403, 200, 404]);
  t.deepEqual(await orphan(server, `${RBAC}/clusterroles/r`, as), [403, 200, 404]);
});

test('a name that is too long for the store is the fault of its client', async (t) => {
  const server = await startTestServer(t);
  const post = (name: string) => server.post(ROLES, { metadata: { name } });
  const name = 'r'.repeat(1990);
  const [before, refused, after] = await Promise.all([post('before'), post(name), post('after')]);
  t.deepEqual([before.status, after.status], [201, 201]);
  t.is(refused.status, 413);
  t.is(refused.body.reason, 'RequestEntityTooLarge');
  t.regex(
    refused.body.message,
    /put of a key of 2014 bytes, the store takes at most 1978; choose a shorter name$/,
  );
  t.is((await server.get(`${ROLES}/${name}`)).status, 404);
  const versions = [before, after].map(({ body }) => body.metadata.resourceVersion as string);
  t.is(new Set(versions).size, 2);
});
