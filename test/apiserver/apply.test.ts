import test from 'ava';
import {
  configMap,
  CONFIG_MAPS,
  makeDefaultAccount,
  podNamed,
  PODS,
  startTestServer,
} from './test-server.ts';
import type { Answer, TestServer } from './test-server.ts';

const APPLY = 'application/apply-patch+yaml';

const STRATEGIC = 'application/strategic-merge-patch+json';

const managersOf = ({ body }: Pick<Answer, 'body'>): string[] =>
  (body.metadata.managedFields as { manager: string }[]).map(({ manager }) => manager);

const apply = (
  server: TestServer,
  options: { manager: string; data: Record<string, string>; force?: boolean },
) =>
  server.patch(
    `${CONFIG_MAPS}/a?fieldManager=${options.manager}${options.force === true ? '&force=True' : ''}`,
    configMap('a', options.data),
    APPLY,
  );

test('apply makes an object, and takes away what is no longer applied', async (t) => {
  const server = await startTestServer(t);
  const made = await apply(server, { manager: 'one', data: { a: '1', b: '2' } });
  t.is(made.status, 201);
  t.like(made.body.metadata.managedFields[0], {
    manager: 'one',
    operation: 'Apply',
    fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } },
  });
  const fewer = await apply(server, { manager: 'one', data: { a: '1' } });
  t.is(fewer.status, 200);
  t.deepEqual(fewer.body.data, { a: '1' });
  const same = await apply(server, { manager: 'one', data: { a: '1' } });
  t.is(same.body.metadata.resourceVersion, fewer.body.metadata.resourceVersion);
});

test("another manager's field is a conflict, unless forced or equal", async (t) => {
  const server = await startTestServer(t);
  await apply(server, { manager: 'one', data: { a: '1', b: '1' } });
  const conflict = await apply(server, { manager: 'two', data: { a: '2' } });
  t.is(conflict.status, 409);
  t.is(conflict.body.message, 'Apply failed with 1 conflict: conflict with "one": .data.a');
  t.deepEqual(conflict.body.details.causes, [
    { reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' },
  ]);
  const shared = await apply(server, { manager: 'two', data: { a: '1' } });
  t.is(shared.status, 200);
  const forced = await apply(server, { manager: 'two', data: { a: '3' }, force: true });
  t.deepEqual(forced.body.data, { a: '3', b: '1' });
  const left = await apply(server, { manager: 'one', data: { b: '1' } });
  t.deepEqual(left.body.data, { a: '3', b: '1' });
});

test('an apply that changes nothing is not written, whoever applied last', async (t) => {
  const server = await startTestServer(t);
  const applyBy = async (manager: string) =>
    (await apply(server, { manager, data: { [manager]: '1' } })).body as unknown;
  await applyBy('two');
  const both = await applyBy('one');
  t.deepEqual(await applyBy('two'), both);
  t.deepEqual(await applyBy('one'), both);
});

test('who makes a map, a list or an item owns it beside what is in it, but for what is always there', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const { body: pod } = await server.post(PODS, {
    metadata: { name: 'web', labels: { a: 'b' } },
    spec: {
      containers: [
        {
          name: 'main',
          image: 'busybox',
          ports: [{ containerPort: 80 }],
          resources: { requests: { cpu: '1' } },
        },
      ],
      volumes: [{ name: 'v', emptyDir: {} }],
      automountServiceAccountToken: false,
    },
  });
  const [entry] = pod.metadata.managedFields;
  t.deepEqual(entry.fieldsV1['f:metadata'], { 'f:labels': { '.': {}, 'f:a': {} } });
  t.like(entry.fieldsV1['f:spec'], {
    'f:securityContext': {},
    'f:volumes': { '.': {}, 'k:{"name":"v"}': { '.': {}, 'f:emptyDir': {}, 'f:name': {} } },
  });
  t.deepEqual(entry.fieldsV1['f:spec']['f:containers'], {
    'k:{"name":"main"}': {
      '.': {},
      'f:image': {},
      'f:imagePullPolicy': {},
      'f:name': {},
      'f:ports': {
        '.': {},
        'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {}, 'f:protocol': {} },
      },
      'f:resources': { '.': {}, 'f:requests': { '.': {}, 'f:cpu': {} } },
      'f:terminationMessagePath': {},
      'f:terminationMessagePolicy': {},
    },
  });
  const { body: reported } = await server.patch(`${PODS}/web/status?fieldManager=kubelet`, {
    status: { conditions: [{ type: 'A', status: 'True' }], podIPs: [{ ip: '10.0.0.1' }] },
  });
  const ofKubelet = (reported.metadata.managedFields as { manager: string; fieldsV1: object }[]).find(
    ({ manager }) => manager === 'kubelet',
  );
  t.deepEqual(ofKubelet?.fieldsV1, {
    'f:status': {
      'f:conditions': {
        '.': {},
        'k:{"type":"A"}': { '.': {}, 'f:status': {}, 'f:type': {} },
      },
      'f:podIP': {},
      'f:podIPs': { '.': {}, 'k:{"ip":"10.0.0.1"}': { '.': {}, 'f:ip': {} } },
    },
  });
});

test('what was written before it was applied is dropped field by field', async (t) => {
  const server = await startTestServer(t);
  await server.post(`${CONFIG_MAPS}?fieldManager=before`, configMap('a', { a: '1', b: '1' }));
  await server.patch(`${CONFIG_MAPS}/a?fieldManager=other`, { data: { c: '1' } });
  const { body } = await server.get(`${CONFIG_MAPS}/a`);
  // As kubectl does when it begins to apply on the server.
  const managedFields = (body.metadata.managedFields as { manager: string }[]).map((entry) =>
    entry.manager === 'before' ? { ...entry, manager: 'one', operation: 'Apply' } : entry,
  );
  t.like(managedFields[0], { fieldsV1: { 'f:data': { '.': {} } } });
  await server.patch(`${CONFIG_MAPS}/a`, { metadata: { managedFields } });
  const applied = await apply(server, { manager: 'one', data: { a: '2' } });
  t.deepEqual(applied.body.data, { a: '2', c: '1' });
});

test('a manager is noted with the time of its last change', async (t) => {
  let seconds = 0;
  const server = await startTestServer(t, { now: () => new Date(seconds * 1000) });
  const timesOf = ({
    body,
  }: {
    body: { metadata: { managedFields: { manager: string; time: string }[] } };
  }) =>
    Object.fromEntries(
      body.metadata.managedFields.map(({ manager, time }) => [manager, Date.parse(time) / 1000]),
    );
  const patch = (value: string) =>
    server.patch(`${CONFIG_MAPS}/a?fieldManager=editor`, { data: { b: value } });
  seconds = 1000;
  await apply(server, { manager: 'one', data: { a: '1' } });
  await patch('1');
  seconds = 2000;
  t.deepEqual(timesOf(await apply(server, { manager: 'one', data: { a: '2' } })), {
    one: 2000,
    editor: 1000,
  });
  seconds = 3000;
  t.deepEqual(timesOf(await patch('2')), { one: 2000, editor: 3000 });
  seconds = 4000;
  const { body: last } = await server.get(`${CONFIG_MAPS}/a`);
  t.deepEqual((await patch('2')).body, last);
  t.deepEqual((await apply(server, { manager: 'one', data: { a: '2' } })).body, last);
});

test('updates own what they change', async (t) => {
  const server = await startTestServer(t);
  await apply(server, { manager: 'one', data: { a: '1' } });
  await server.patch(`${CONFIG_MAPS}/a?fieldManager=editor`, { data: { a: '2', c: '3' } });
  const conflict = await apply(server, { manager: 'one', data: { a: '1' } });
  t.is(conflict.status, 409);
  t.regex(
    conflict.body.message,
    /^Apply failed with 1 conflict: conflict with "editor" using v1 at .*: \.data\.a$/,
  );
  const { body } = await server.get(`${CONFIG_MAPS}/a`);
  const editor = (body.metadata.managedFields as { manager: string }[]).find(
    ({ manager }) => manager === 'editor',
  );
  t.like(editor, { operation: 'Update', fieldsV1: { 'f:data': { 'f:a': {}, 'f:c': {} } } });
});

test('lists are merged by their keys', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const containers = [{ name: 'main', image: 'busybox:1' }];
  const applied = await server.patch(`${PODS}/web?fieldManager=one`, podNamed('web', { containers }), APPLY);
  t.is(applied.status, 201);
  t.is(applied.body.spec.containers[0].imagePullPolicy, 'IfNotPresent');
  const changed = await server.patch(
    `${PODS}/web?fieldManager=two&force=true`,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'main', image: 'busybox:2' }] },
    },
    APPLY,
  );
  t.is(changed.status, 200);
  t.is(changed.body.spec.containers.length, 1);
  t.is(changed.body.spec.containers[0].image, 'busybox:2');
  t.is(changed.body.spec.containers[0].imagePullPolicy, 'IfNotPresent');
});

test("what another changed in an item goes with it, and is nobody's when it comes again", async (t) => {
  const server = await startTestServer(t);
  const apply = (ports: object[]) =>
    server.patch(
      '/api/v1/namespaces/default/services/web?fieldManager=one',
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports } },
      APPLY,
    );
  const [web, metrics] = [{ port: 80 }, { port: 81, name: 'metrics', targetPort: 8081 }];
  t.is((await apply([{ ...web, name: 'web' }, metrics])).status, 201);
  const other = '/api/v1/namespaces/default/services/web?fieldManager=two';
  await server.patch(other, { spec: { ports: [{ port: 81, targetPort: 9 }] } }, STRATEGIC);
  const without = await apply([web]);
  t.is(without.status, 200, without.text);
  t.deepEqual(managersOf(without), ['one']);
  t.is((await apply([{ ...web, name: 'web' }, metrics])).status, 200);
});

test('who applies nothing any more manages nothing', async (t) => {
  const server = await startTestServer(t);
  await apply(server, { manager: 'one', data: { a: '1' } });
  await apply(server, { manager: 'two', data: { b: '1' } });
  const nothing = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
  const { body } = await server.patch(`${CONFIG_MAPS}/a?fieldManager=one`, nothing, APPLY);
  t.deepEqual(body.data, { b: '1' });
  t.deepEqual(managersOf({ body }), ['two']);
});

test('of more than ten updaters the oldest are one', async (t) => {
  const server = await startTestServer(t);
  await server.post(`${CONFIG_MAPS}?fieldManager=m10`, configMap('a', { m10: '' }));
  await apply(server, { manager: 'applier', data: { x: '1' } });
  const update = (manager: string) =>
    server.patch(`${CONFIG_MAPS}/a?fieldManager=${manager}`, { data: { [manager]: '' } });
  for (let index = 11; index < 20; index++) await update(`m${index}`);
  const ten = await update('m19');
  t.is(managersOf(ten).length, 11);
  const capped = await update('m20');
  t.is(managersOf(capped).length, 11);
  const entries = capped.body.metadata.managedFields as { manager: string; fieldsV1: object }[];
  const ancient = entries.find(({ manager }) => manager === 'ancient-changes');
  t.deepEqual(ancient?.fieldsV1, { 'f:data': { '.': {}, 'f:m10': {}, 'f:m11': {} } });
  const last = await update('m21');
  t.false(managersOf(last).includes('m12'));
  t.is(managersOf(last).length, 11);
});

test('items that share their keys live on, but are not applied', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const [a, b, again] = [
    { name: 'A', value: '1' },
    { name: 'B', value: '1' },
    { name: 'A', value: '2' },
  ];
  const podWith = (env: object[]) =>
    podNamed('web', { containers: [{ name: 'main', image: 'busybox', env }] });
  await server.post(PODS, podWith([a, again, b]));
  const applyEnv = (env: object[]) =>
    server.patch(`${PODS}/web?fieldManager=one&dryRun=All`, podWith(env), APPLY);
  const same = await applyEnv([b]);
  t.is(same.status, 200, same.text);
  t.deepEqual(same.body.spec.containers[0].env, [a, again, b]);
  const refused = await applyEnv([a, again, b]);
  t.is(refused.status, 500);
  t.is(
    refused.body.message,
    'failed to create typed patch object (default/web; /v1, Kind=Pod): .spec.containers[name="main"].env: duplicate entries for key [name="A"]',
  );
});

test('an apply needs a manager', async (t) => {
  const server = await startTestServer(t);
  const refused = await server.patch(`${CONFIG_MAPS}/a`, configMap('a'), APPLY);
  t.is(refused.status, 422);
  t.regex(refused.body.message, /fieldManager: Required value: is required for apply patch/);
});

test('an empty entry resets who manages what, but by no subresource', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const { body } = await server.post(PODS, podNamed('web'));
  const reset = { metadata: { managedFields: [{}] } };
  const status = await server.patch(`${PODS}/web/status`, reset);
  t.is(status.status, 200);
  t.truthy(body.metadata.managedFields);
  t.deepEqual(status.body.metadata.managedFields, body.metadata.managedFields);
  const none = await server.patch(`${PODS}/web`, { metadata: { managedFields: [] } });
  t.deepEqual(none.body.metadata.managedFields, body.metadata.managedFields);
  t.is((await server.patch(`${PODS}/web`, reset)).body.metadata.managedFields, undefined);
});

test('what is applied says its type', async (t) => {
  const server = await startTestServer(t);
  const refused = async (type: object) => {
    const body = { ...type, metadata: { name: 'a' }, data: { 'no good': '1' } };
    const answer = await server.patch(`${CONFIG_MAPS}/a?fieldManager=one`, body, APPLY);
    return `${answer.status} ${answer.body.message}`;
  };
  t.is(await refused({}), '400 invalid object type: /, Kind=');
  t.is(await refused({ apiVersion: 'v1', kind: 'Secret' }), '400 invalid object type: /v1, Kind=Secret');
  t.is((await server.get(`${CONFIG_MAPS}/a`)).status, 404);
});

test('the three other patch types', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a', { x: '1' }));
  const json = await server.patch(
    `${CONFIG_MAPS}/a`,
    [
      { op: 'test', path: '/data/x', value: '1' },
      { op: 'add', path: '/data/y', value: '2' },
    ],
    'application/json-patch+json',
  );
  t.deepEqual(json.body.data, { x: '1', y: '2' });
  const failed = await server.patch(
    `${CONFIG_MAPS}/a`,
    [{ op: 'test', path: '/data/x', value: '9' }],
    'application/json-patch+json',
  );
  t.is(failed.status, 422);
  const merged = await server.patch(`${CONFIG_MAPS}/a`, { data: { x: null, z: '3' } });
  t.deepEqual(merged.body.data, { y: '2', z: '3' });
  const strategic = await server.patch(
    `${CONFIG_MAPS}/a`,
    { data: { $patch: 'replace', only: '1' } },
    'application/strategic-merge-patch+json',
  );
  t.deepEqual(strategic.body.data, { only: '1' });
  const unknown = await server.patch(`${CONFIG_MAPS}/a`, {}, 'application/json');
  t.is(unknown.status, 415);
});

test('what the schema does not declare is refused, whatever validation is asked for', async (t) => {
  const server = await startTestServer(t);
  const spec = {
    hostnmae: 'a',
    containers: [{ name: 'main', image: 'busybox', env: [{ name: 'A', valeu: '1' }] }],
  };
  for (const validation of ['Strict', 'Ignore']) {
    const query = `fieldManager=one&fieldValidation=${validation}`;
    const { status, body } = await server.patch(`${PODS}/web?${query}`, podNamed('web', spec), APPLY);
    t.is(status, 500);
    t.is(
      body.message,
      `failed to create typed patch object (default/web; /v1, Kind=Pod): errors:
  .spec.containers[name="main"].env[name="A"].valeu: field not declared in schema
  .spec.hostnmae: field not declared in schema`,
    );
  }
});

test('a key that is there twice is refused, or warned of', async (t) => {
  const server = await startTestServer(t);
  const body = `
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
data:
  a: "1"
  a: "2"
`;
  const applyWith = (validation: string) =>
    server.patch(`${CONFIG_MAPS}/a?fieldManager=one&fieldValidation=${validation}`, body, APPLY);
  const refused = await applyWith('Strict');
  t.is(refused.status, 400);
  const words = `error converting YAML to JSON: yaml: unmarshal errors:\n  line 8: key "a" already set in map`;
  t.is(refused.body.message, `error strict decoding YAML: ${words}`);
  const warned = await applyWith('Warn');
  t.is(warned.status, 201);
  t.is(warned.headers.warning, `299 - "${words.replace('\n', ' ').replaceAll('"', '\\"')}"`);
});
