import test from 'ava';
import {
  configMap,
  CONFIG_MAPS,
  makeDefaultAccount,
  podNamed,
  PODS,
  startTestServer,
} from './test-server.ts';

test('creates, reads, changes and deletes an object', async (t) => {
  const server = await startTestServer(t);
  const created = await server.post(CONFIG_MAPS, configMap('a', { x: '1' }));
  t.is(created.status, 201);
  t.regex(created.body.metadata.uid, /^[0-9a-f-]{36}$/);
  t.regex(created.body.metadata.creationTimestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  t.is(created.body.metadata.namespace, 'default');
  const read = await server.get(`${CONFIG_MAPS}/a`);
  t.deepEqual(read.body, created.body);
  const updated = await server.put(`${CONFIG_MAPS}/a`, { ...read.body, data: { x: '2' } });
  t.is(updated.status, 200);
  t.true(Number(updated.body.metadata.resourceVersion) > Number(read.body.metadata.resourceVersion));
  const deleted = await server.remove(`${CONFIG_MAPS}/a`);
  t.is(deleted.status, 200);
  t.like(deleted.body, { kind: 'Status', status: 'Success', details: { name: 'a', kind: 'configmaps' } });
  const gone = await server.get(`${CONFIG_MAPS}/a`);
  t.is(gone.status, 404);
  t.like(gone.body, { reason: 'NotFound', message: 'configmaps "a" not found', code: 404 });
});

test('refuses a second object of the name, and an update of an old state', async (t) => {
  const server = await startTestServer(t);
  const { body: old } = await server.post(CONFIG_MAPS, configMap('a'));
  const again = await server.post(CONFIG_MAPS, configMap('a'));
  t.is(again.status, 409);
  t.like(again.body, { reason: 'AlreadyExists', message: 'configmaps "a" already exists' });
  await server.patch(`${CONFIG_MAPS}/a`, { data: { x: '1' } });
  const lost = await server.put(`${CONFIG_MAPS}/a`, { ...old, data: { x: '2' } });
  t.is(lost.status, 409);
  t.is(lost.body.reason, 'Conflict');
  t.is(
    lost.body.message,
    'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
  );
});

test('no concurrent patch is lost', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const keys = Array.from({ length: 40 }, (_, index) => `key-${index}`);
  await Promise.all(keys.map((key) => server.patch(`${CONFIG_MAPS}/a`, { data: { [key]: 'x' } })));
  const { body } = await server.get(`${CONFIG_MAPS}/a`);
  t.deepEqual(Object.keys(body.data).toSorted(), keys.toSorted());
});

test('no patch changes the type of an object', async (t) => {
  const server = await startTestServer(t);
  const { body: made } = await server.post(CONFIG_MAPS, configMap('a', { x: '1' }));
  const refused = async (patch: unknown, type: string) => {
    const { status, body } = await server.patch(`${CONFIG_MAPS}/a`, patch, `application/${type}`);
    return `${status} ${body.message}`;
  };
  const words = (why: string) =>
    new RegExp(`^422  "" is invalid: patch: Invalid value: "\\{.*\\}": ${RegExp.escape(why)}$`);
  const conversion = words('converting (v1.Secret) to (core.ConfigMap): unknown conversion');
  const patch = { kind: 'Secret', data: { 'no good': '1' } };
  t.regex(await refused(patch, 'merge-patch+json'), conversion);
  const operation = { op: 'replace', path: '/kind', value: 'Secret' };
  t.regex(await refused([operation], 'json-patch+json'), conversion);
  t.regex(
    await refused({ kind: 5 }, 'merge-patch+json'),
    words(
      "couldn't get version/kind; json parse error: json: cannot unmarshal number into Go struct field .kind of type string",
    ),
  );
  t.regex(
    await refused({ apiVersion: 'v9' }, 'merge-patch+json'),
    words('no kind "ConfigMap" is registered for version "v9" in scheme "pkg/api/legacyscheme/scheme.go:30"'),
  );
  t.deepEqual((await server.get(`${CONFIG_MAPS}/a`)).body, made);
  // The type of a strategic patch is the object's own, whatever it says.
  t.regex(await refused(patch, 'strategic-merge-patch+json'), /^422 ConfigMap "a" is invalid: data/);
  const { body: strategic } = await server.patch(
    `${CONFIG_MAPS}/a`,
    { kind: 'Secret', apiVersion: 'v9' },
    'application/strategic-merge-patch+json',
  );
  t.deepEqual(strategic, made);
  const same = await server.patch(`${CONFIG_MAPS}/a`, { kind: 'ConfigMap', data: { x: '2' } });
  t.is(same.status, 200);
});

test('an update that changes nothing is not written', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.post(CONFIG_MAPS, configMap('a', { x: '1' }));
  const same = await server.put(`${CONFIG_MAPS}/a`, body);
  t.is(same.body.metadata.resourceVersion, body.metadata.resourceVersion);
});

test('what is empty is left out where Go would leave it out', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const empty = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [], generateName: '' };
  const { body: pod } = await server.post(PODS, {
    metadata: { name: 'p', ...empty, labels: { kept: '' } },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i',
          command: [],
          ports: [{ containerPort: 1, hostPort: 0, name: '' }],
          tty: false,
        },
      ],
      volumes: [
        { name: 'd', emptyDir: { medium: '' } },
        { name: 's', secret: { secretName: 's', optional: false, items: [] } },
        { name: 'p', projected: { sources: [] } },
      ],
      hostNetwork: false,
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } },
      nodeSelector: {},
      serviceAccountName: '',
      automountServiceAccountToken: false,
      imagePullSecrets: [],
      terminationGracePeriodSeconds: 0,
    },
  });
  t.deepEqual(pod.metadata.labels, { kept: '' });
  for (const field of ['annotations', 'finalizers', 'ownerReferences', 'generateName'])
    t.false(field in pod.metadata, field);
  const { spec } = pod;
  for (const field of ['command', 'tty']) t.false(field in spec.containers[0], field);
  t.deepEqual(spec.containers[0].ports, [{ containerPort: 1, protocol: 'TCP' }]);
  t.deepEqual(spec.containers[0].resources, {});
  for (const field of ['hostNetwork', 'nodeSelector', 'imagePullSecrets']) t.false(field in spec, field);
  t.deepEqual(spec.volumes, [
    { name: 'd', emptyDir: {} },
    { name: 's', secret: { secretName: 's', optional: false, defaultMode: 420 } },
    { name: 'p', projected: { sources: [], defaultMode: 420 } },
  ]);
  t.deepEqual(spec.affinity, { podAffinity: {} });
  t.is(spec.automountServiceAccountToken, false);
  t.is(spec.terminationGracePeriodSeconds, 0);

  const { body: status } = await server.patch(
    `${PODS}/p/status`,
    { status: { conditions: [{ type: 'A', status: 'True' }] } },
    'application/strategic-merge-patch+json',
  );
  t.is(status.status.conditions.length, 1);
  const { body: without } = await server.patch(
    `${PODS}/p/status`,
    { status: { conditions: [{ type: 'A', $patch: 'delete' }] } },
    'application/strategic-merge-patch+json',
  );
  t.false('conditions' in without.status);
  const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles';
  const { body: role } = await server.post(roles, { metadata: { name: 'r' }, rules: [] });
  t.deepEqual(role.rules, []);
  const { body: data } = await server.post(CONFIG_MAPS, { ...configMap('c'), immutable: false });
  t.false('data' in data);
  t.is(data.immutable, false);
});

test('who applies what is empty owns it, and it is left out', async (t) => {
  const server = await startTestServer(t);
  const apply = (manager: string, spec: object) =>
    server.patch(
      `/api/v1/nodes/n?fieldManager=${manager}`,
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n', labels: {} }, spec },
      'application/apply-patch+yaml',
    );
  const { body: made } = await apply('one', { unschedulable: true });
  t.is(made.spec.unschedulable, true);
  const { body: changed } = await apply('one', { unschedulable: false });
  t.false('unschedulable' in changed.spec);
  t.false('labels' in changed.metadata);
  const { body: again } = await apply('one', { unschedulable: false });
  t.is(again.metadata.resourceVersion, changed.metadata.resourceVersion);
  const refused = await apply('two', { unschedulable: true });
  t.is(refused.status, 409);
});

test('what a Secret is given as text is data, also to who manages it', async (t) => {
  const server = await startTestServer(t);
  const secrets = '/api/v1/namespaces/default/secrets';
  const { body } = await server.post(secrets, {
    metadata: { name: 's' },
    data: { a: 'AA==', b: 'AA==' },
    stringData: { b: 'ü', c: '' },
  });
  t.deepEqual(body.data, { a: 'AA==', b: 'w7w=', c: '' });
  t.false('stringData' in body);
  t.deepEqual(body.metadata.managedFields[0].fieldsV1, {
    'f:data': { '.': {}, 'f:a': {}, 'f:b': {}, 'f:c': {} },
    'f:type': {},
  });
  const patched = await server.patch(`${secrets}/s`, { stringData: { c: 'x' } });
  t.is(patched.body.data.c, 'eA==');
  const same = await server.patch(`${secrets}/s`, { stringData: { c: 'x' } });
  t.is(same.body.metadata.resourceVersion, patched.body.metadata.resourceVersion);
});

test('makes a name from generateName', async (t) => {
  const server = await startTestServer(t);
  const { body } = await server.post(CONFIG_MAPS, { metadata: { generateName: 'job-' } });
  t.regex(body.metadata.name, /^job-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
});

test('a dry run answers as if, and writes nothing', async (t) => {
  const server = await startTestServer(t);
  const made = await server.post(`${CONFIG_MAPS}?dryRun=All`, configMap('a'));
  t.is(made.status, 201);
  t.is((await server.get(`${CONFIG_MAPS}/a`)).status, 404);
  await server.post(CONFIG_MAPS, configMap('a'));
  const patched = await server.patch(`${CONFIG_MAPS}/a?dryRun=All`, { data: { x: '1' } });
  t.deepEqual(patched.body.data, { x: '1' });
  t.is((await server.remove(`${CONFIG_MAPS}/a?dryRun=All`)).status, 200);
  t.is((await server.get(`${CONFIG_MAPS}/a`)).body.data, undefined);
  const wrong = await server.post(`${CONFIG_MAPS}?dryRun=Some`, configMap('b'));
  t.is(wrong.status, 422);
  t.regex(wrong.body.message, /dryRun: Unsupported value: "Some": supported values: "All"/);
});

test('unknown fields are dropped, warned of or refused, as asked', async (t) => {
  const server = await startTestServer(t);
  const body = { ...configMap('a'), dta: {}, metadata: { name: 'a', lables: {} } };
  const warned = await server.post(`${CONFIG_MAPS}?dryRun=All`, body);
  t.deepEqual(warned.headers['warning']?.split(', 299').length, 2);
  t.regex(warned.headers['warning'] ?? '', /299 - "unknown field \\"dta\\""/);
  t.false('dta' in warned.body);
  const ignored = await server.post(`${CONFIG_MAPS}?dryRun=All&fieldValidation=Ignore`, body);
  t.is(ignored.headers['warning'], undefined);
  const refused = await server.post(`${CONFIG_MAPS}?fieldValidation=Strict`, body);
  t.is(refused.status, 400);
  t.is(
    refused.body.message,
    'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "metadata.lables", unknown field "dta"',
  );
});

test('what a strict reading finds comes in the order of the text', async (t) => {
  const server = await startTestServer(t);
  const text = '{"metadata":{"name":"a","odd":1},"data":{"a":"1","a":"2"},"dta":{}}';
  const { body } = await server.post(`${CONFIG_MAPS}?fieldValidation=Strict`, text);
  const found = 'unknown field "metadata.odd", duplicate field "data.a", unknown field "dta"';
  t.is(
    body.message,
    `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ${found}`,
  );
});

test('what a strict reading finds in a patch, or in what it makes, is 422', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const patch = (patchType: string, text: string, validation = 'Strict') =>
    server.patch(`${CONFIG_MAPS}/a?fieldValidation=${validation}`, text, `application/${patchType}+json`);
  const refused = async (patchType: string, text: string, why: string) => {
    const { status, body } = await patch(patchType, text);
    t.is(status, 422);
    t.regex(body.message, /^ "" is invalid: patch: Invalid value: "/);
    t.true(body.message.endsWith(`": strict decoding error: ${why}`), body.message);
    t.is(body.details.causes[0].field, 'patch');
  };
  await refused(
    'json-patch',
    '[{"op":"add","path":"/dta","path":"/data","value":{},"odd":1}]',
    'json patch duplicate field "[0].path", json patch unknown field "[0].odd"',
  );
  await refused('json-patch', '[{"op":"add","path":"/dta","value":{}}]', 'unknown field "dta"');
  await refused(
    'merge-patch',
    '{"data":{"a":"1","a":"2"},"dta":1}',
    'duplicate field "data.a", unknown field "dta"',
  );
  const strategic = await patch(
    'strategic-merge-patch',
    '{"metadata":{"odd":null,"labels":{"b":"1"}},"dta":[1,"x"]}',
  );
  t.is(
    strategic.body.message,
    ' "" is invalid: patch: Invalid value: "map[dta:[1 x] metadata:map[labels:map[b:1] odd:<nil>]]": strict decoding error: unknown field "dta"',
  );
  const warned = await patch('merge-patch', '{"data":{"a":"1","a":"2"},"dta":1}', 'Warn');
  t.is(warned.headers.warning, '299 - "duplicate field \\"data.a\\"", 299 - "unknown field \\"dta\\""');
  t.deepEqual(warned.body.data, { a: '2' });
  const forced = await server.patch(`${CONFIG_MAPS}/a?force=false`, {});
  t.is(
    `${forced.status} ${forced.body.message}`,
    '422 PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
  );
  const wrong = await patch('merge-patch', '{"data":{"a":1}}', 'Ignore');
  t.is(wrong.status, 422);
  t.regex(
    wrong.body.message,
    /^ "" is invalid: patch: Invalid value: ".*": json: cannot unmarshal number into Go struct field ConfigMap.data.a of type string$/,
  );
});

test('a warning tells a name in any script', async (t) => {
  const server = await startTestServer(t);
  const made = await server.post(CONFIG_MAPS, { ...configMap('a'), 'größe-长': {} });
  t.is(made.status, 201, made.text);
  const bytes = Buffer.from(String(made.headers.warning), 'latin1');
  t.is(bytes.toString(), '299 - "unknown field \\"größe-长\\""');
});

test('warnings come also with a refusal, each once', async (t) => {
  const server = await startTestServer(t);
  const refused = await server.post(CONFIG_MAPS, { ...configMap('Bad_'), dta: 1 });
  t.is(refused.status, 422);
  t.is(refused.headers.warning, '299 - "unknown field \\"dta\\""');
  const endpoints = '/api/v1/namespaces/default/endpoints';
  const deprecated = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
  for (const path of [endpoints, `${endpoints}/none`])
    t.is((await server.get(path)).headers.warning, deprecated);
  const watch = await server.open('GET', `${endpoints}?watch=true`);
  t.is(watch.headers.warning, deprecated);
  watch.destroy();
});

test('an owner that is told twice is one', async (t) => {
  const server = await startTestServer(t);
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' };
  const other = { ...owner, controller: false };
  const object = {
    ...configMap('a'),
    metadata: { name: 'a', ownerReferences: [owner, other, owner] },
  };
  const words = (when = '') =>
    `299 - ".metadata.ownerReferences contains duplicate entries${when}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: u"`;
  for (const answer of [
    await server.post(CONFIG_MAPS, object),
    await server.put(`${CONFIG_MAPS}/a`, object),
  ]) {
    t.deepEqual(answer.body.metadata.ownerReferences, [owner, other]);
    t.is(answer.headers.warning, words());
  }
  const patched = await server.patch(`${CONFIG_MAPS}/a`, {
    metadata: { ownerReferences: [owner, owner] },
  });
  t.deepEqual(patched.body.metadata.ownerReferences, [owner]);
  t.is(patched.headers.warning, words(' after mutating admission happens'));
});

test('wrong types and malformed bodies are 400, invalid values 422 with their fields', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const typed = await server.post(PODS, podNamed('a', { hostNetwork: 'yes' }));
  t.is(typed.status, 400);
  t.regex(
    typed.body.message,
    /json: cannot unmarshal string into Go struct field PodSpec\.spec\.hostNetwork of type bool$/,
  );
  const refused = async (body: string, type = 'application/json') => {
    const { status, body: answer } = await server.call('POST', PODS, {
      body,
      headers: { 'content-type': type },
    });
    return `${status} ${answer.message}`;
  };
  const unrecognized = '400 the object provided is unrecognized (must be of type Pod): ';
  const parse = `${unrecognized}couldn't get version/kind; json parse error: `;
  for (const [text, shown] of [
    ['{"a":', '{"a":'],
    ['', '<empty>'],
    [`{"metadata":{"name":"a-long-name","x":`, '{"metadata":{"name":"a-long-na ...'],
    ['nonsense', '6e6f6e73656e7365'],
  ] as const) {
    const answer = await refused(text);
    t.true(answer.startsWith(parse) && answer.endsWith(` (${shown})`), answer);
  }
  t.is(
    await refused('[]'),
    `${parse}json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (5b5d)`,
  );
  t.is(
    await refused('{"kind":true}'),
    `${parse}json: cannot unmarshal bool into Go struct field .kind of type string ({"kind":true})`,
  );
  t.is(
    await refused('{"apiVersion":"a/b/c"}'),
    `${unrecognized}unexpected GroupVersion string: a/b/c ({"apiVersion":"a/b/c"})`,
  );
  const yaml = await refused('a: [', 'application/yaml');
  t.true(yaml.startsWith(`${unrecognized}error converting YAML to JSON: yaml: `), yaml);
  t.true(yaml.endsWith(' (613a205b)'), yaml);
  t.is(
    await refused('xyz', 'application/vnd.kubernetes.protobuf'),
    `${unrecognized}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78797a)`,
  );
  t.is(
    await refused('{"kind":"Pod","apiVersion":"v9"}'),
    '400 Pod in version "v9" cannot be handled as a Pod: no kind "Pod" is registered for version "v9" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  );
  const patched = await server.patch(`${PODS}/a`, '{');
  t.is(patched.status, 400);
  t.regex(patched.body.message, /^error decoding patch: /);
  const invalid = await server.post(PODS, podNamed('Bad_', { containers: [{ name: 'main', image: '' }] }));
  t.is(invalid.status, 422);
  t.is(invalid.body.reason, 'Invalid');
  t.true(invalid.body.message.startsWith('Pod "Bad_" is invalid: ['));
  const causes = invalid.body.details.causes as { field: string; reason: string }[];
  t.deepEqual(
    causes.map(({ field, reason }) => [field, reason]),
    [
      ['metadata.name', 'FieldValueInvalid'],
      ['spec.containers[0].image', 'FieldValueRequired'],
    ],
  );
  const mismatched = await server.post(CONFIG_MAPS, {
    ...configMap('a'),
    metadata: { name: 'a', namespace: 'other' },
  });
  t.is(
    mismatched.body.message,
    'the namespace of the provided object does not match the namespace sent on the request',
  );
});

test('takes YAML, refuses other types and large bodies', async (t) => {
  const server = await startTestServer(t);
  const headers = { 'content-type': 'application/yaml' };
  const yaml = await server.call('POST', CONFIG_MAPS, {
    body: 'metadata: {name: y}\ndata: {a: "1"}\n',
    headers,
  });
  t.is(yaml.status, 201);
  const text = await server.call('POST', CONFIG_MAPS, {
    body: 'x',
    headers: { 'content-type': 'text/plain' },
  });
  t.is(text.status, 415);
  t.is(text.body.reason, 'UnsupportedMediaType');
  const accept = await server.get(CONFIG_MAPS, {
    headers: { accept: 'application/vnd.kubernetes.protobuf' },
  });
  t.is(accept.status, 406);
  const both = await server.get(CONFIG_MAPS, {
    headers: { accept: 'application/vnd.kubernetes.protobuf,application/json' },
  });
  t.is(both.headers['content-type'], 'application/json');
  const large = await server.post(CONFIG_MAPS, configMap('large', { x: 'x'.repeat(3 * 1024 * 1024) }));
  t.is(large.status, 413);
  t.is(large.body.message, 'Request entity too large: limit is 3145728');
});

test('an object with finalizers goes when the last one is taken', async (t) => {
  const server = await startTestServer(t);
  const guarded = {
    ...configMap('a'),
    metadata: { name: 'a', finalizers: ['example.com/one', 'example.com/two'] },
  };
  await server.post(CONFIG_MAPS, guarded);
  const marked = await server.remove(`${CONFIG_MAPS}/a`);
  t.truthy(marked.body.metadata.deletionTimestamp);
  t.is(marked.body.metadata.deletionGracePeriodSeconds, 0);
  for (const query of ['', '?dryRun=All']) {
    const early = await server.post(`${CONFIG_MAPS}${query}`, configMap('a'));
    t.is(early.status, 409);
    t.like(early.body, {
      reason: 'AlreadyExists',
      message: 'object is being deleted: configmaps "a" already exists',
    });
  }
  const added = await server.patch(`${CONFIG_MAPS}/a`, {
    metadata: { finalizers: ['example.com/one', 'example.com/two', 'example.com/three'] },
  });
  t.is(added.status, 422);
  t.regex(added.body.message, /no new finalizers can be added if the object is being deleted/);
  t.is(
    (await server.patch(`${CONFIG_MAPS}/a`, { metadata: { finalizers: ['example.com/two'] } })).status,
    200,
  );
  const last = await server.patch(`${CONFIG_MAPS}/a`, { metadata: { finalizers: null } });
  t.is(last.status, 200);
  t.is(last.body.metadata.finalizers, undefined);
  t.is((await server.get(`${CONFIG_MAPS}/a`)).status, 404);
});

test('propagation policies become finalizers', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const foreground = await server.call('DELETE', `${CONFIG_MAPS}/a`, {
    body: { propagationPolicy: 'Foreground' },
  });
  t.deepEqual(foreground.body.metadata.finalizers, ['foregroundDeletion']);
  const background = await server.call('DELETE', `${CONFIG_MAPS}/a`, {
    body: { propagationPolicy: 'Background' },
  });
  t.is(background.body.kind, 'Status');
  await server.post(CONFIG_MAPS, configMap('b'));
  const orphan = await server.remove(`${CONFIG_MAPS}/b?propagationPolicy=Orphan`);
  t.deepEqual(orphan.body.metadata.finalizers, ['orphan']);
  const wrong = await server.call('DELETE', `${CONFIG_MAPS}/b`, { body: { propagationPolicy: 'Never' } });
  t.is(wrong.status, 422);
});

test('preconditions of a deletion are kept', async (t) => {
  const server = await startTestServer(t);
  const { uid, resourceVersion } = (await server.post(CONFIG_MAPS, configMap('a'))).body.metadata;
  const refused = async (path: string, preconditions: object) => {
    const { status, body } = await server.call('DELETE', path, { body: { preconditions } });
    t.is(status, 409);
    return [body.details.kind, body.message as string];
  };
  t.deepEqual(await refused(`${CONFIG_MAPS}/a`, { uid: 'other' }), [
    'ConfigMap',
    `Operation cannot be fulfilled on ConfigMap "a": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
  ]);
  t.deepEqual(await refused(`${CONFIG_MAPS}/a`, { uid, resourceVersion: '1' }), [
    'ConfigMap',
    `Operation cannot be fulfilled on ConfigMap "a": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
  ]);
  const namespace = (await server.get('/api/v1/namespaces/default')).body.metadata;
  t.deepEqual(await refused('/api/v1/namespaces/default', { uid: 'other' }), [
    'namespaces',
    `Operation cannot be fulfilled on namespaces "default": Precondition failed: UID in precondition: other, UID in object meta: ${namespace.uid}`,
  ]);
  const met = { preconditions: { uid, resourceVersion } };
  t.is((await server.call('DELETE', `${CONFIG_MAPS}/a`, { body: met })).status, 200);
});

test('what is null in the options of a deletion is not asked for', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const wrong = await server.call('DELETE', `${CONFIG_MAPS}/a`, { body: { gracePeriodSeconds: '5' } });
  t.is(wrong.status, 400);
  t.is(
    wrong.body.message,
    'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: json: cannot unmarshal string into Go struct field DeleteOptions.gracePeriodSeconds of type int64',
  );
  const body = {
    preconditions: null,
    gracePeriodSeconds: null,
    propagationPolicy: null,
    orphanDependents: null,
    dryRun: null,
  };
  t.is((await server.call('DELETE', `${CONFIG_MAPS}/a`, { body })).status, 200);
  t.is((await server.get(`${CONFIG_MAPS}/a`)).status, 404);
});

test('a collection is deleted by selector', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a', {}, { app: 'web' }));
  await server.post(CONFIG_MAPS, configMap('b', {}, { app: 'db' }));
  const deleted = await server.remove(`${CONFIG_MAPS}?labelSelector=app%3Dweb`);
  t.is(deleted.status, 200);
  t.is(deleted.body.kind, 'ConfigMapList');
  const { body } = await server.get(CONFIG_MAPS);
  t.deepEqual(
    (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name),
    ['b'],
  );
});

test('no more of a collection is deleted than its limit says', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['a', 'b', 'c']) await server.post(CONFIG_MAPS, configMap(name));
  const deleted = async (query: string) => {
    const { body } = await server.remove(`${CONFIG_MAPS}?${query}`);
    const names = (body.items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
    return [names, body.metadata.continue as string | undefined] as const;
  };
  const [first, token = ''] = await deleted('limit=2');
  t.deepEqual(first, ['a', 'b']);
  t.is((await server.get(`${CONFIG_MAPS}/c`)).status, 200);
  await server.post(CONFIG_MAPS, configMap('a'));
  t.deepEqual(await deleted(`limit=2&continue=${token}`), [['c'], undefined]);
  t.is((await server.get(`${CONFIG_MAPS}/a`)).status, 200);
});

test('paths, verbs and methods that are not served', async (t) => {
  const server = await startTestServer(t);
  const unknown = await server.get('/api/v1/namespaces/default/widgets');
  t.is(unknown.status, 404);
  t.is(unknown.body.message, 'the server could not find the requested resource');
  const put = await server.put(CONFIG_MAPS, configMap('a'));
  t.is(put.status, 405);
  t.is(put.body.reason, 'MethodNotAllowed');
  t.is((await server.get('/nothing')).status, 404);
  t.is((await server.get('/api/v1/namespaces/%zz/pods')).status, 404);
  await server.post(CONFIG_MAPS, configMap('a'));
  for (const crooked of [
    'configmaps/default%2Fa',
    'namespaces/default/configmaps/..%2Fdefault%2Fa',
    'namespaces/default%2Fa/configmaps/a',
  ]) {
    t.is((await server.get(`/api/v1/${crooked}`)).status, 404, crooked);
  }
  t.is((await server.post('/api/v1/configmaps', configMap('b'))).status, 404);
});

test('indented for people, compressed when large', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a', { x: 'x'.repeat(200_000) }));
  const indented = async (query: string) =>
    (await server.get(`${CONFIG_MAPS}/a?${query}`)).text.startsWith('{\n  "');
  t.true(await indented('pretty=true'));
  t.false(await indented('pretty=False'));
  const zipped = await server.get(`${CONFIG_MAPS}/a`, { headers: { 'accept-encoding': 'gzip' } });
  t.is(zipped.headers['content-encoding'], 'gzip');
  t.true(Number(zipped.headers['content-length']) < 10_000);
});

test('numbers and types that are none are refused as Kubernetes words it', async (t) => {
  const server = await startTestServer(t);
  const refused = async (path: string) => {
    const { status, body } = await server.get(path);
    return `${status} ${body.message}`;
  };
  t.is(await refused(`${CONFIG_MAPS}?limit=abc`), '400 strconv.ParseInt: parsing "abc": invalid syntax');
  t.is(
    await refused(`${CONFIG_MAPS}?watch=1&timeoutSeconds=1m`),
    '400 strconv.ParseInt: parsing "1m": invalid syntax',
  );
  const pods = '/api/v1/namespaces/default/pods';
  const post = async (apiVersion: string, kind: string) =>
    (await server.post(pods, { apiVersion, kind, metadata: { name: 'x' } })).body.message;
  t.is(
    await post('v1', 'ConfigMap'),
    'ConfigMap in version "v1" cannot be handled as a Pod: converting (v1.ConfigMap) to (core.Pod): unknown conversion',
  );
  t.is(
    await post('v1', 'Widget'),
    'Widget in version "v1" cannot be handled as a Pod: no kind "Widget" is registered for version "v1" in scheme "pkg/api/legacyscheme/scheme.go:30"',
  );
  const events = '/api/v1/namespaces/default/events';
  t.is(
    (await server.post(events, { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { name: 'x' } }))
      .body.message,
    'the API version in the data (events.k8s.io/v1) does not match the expected API version (v1)',
  );
});

test("every kind's metadata is checked, whatever its own validation asks", async (t) => {
  const server = await startTestServer(t);
  const events = '/api/v1/namespaces/default/events';
  const refused = async (metadata: object) => {
    const { status, body } = await server.post(events, { metadata, involvedObject: {} });
    return [status, body.message as string];
  };
  t.deepEqual(await refused({}), [
    422,
    'Event "" is invalid: metadata.name: Required value: name or generateName is required',
  ]);
  t.deepEqual(await refused({ name: 'a/b' }), [
    422,
    `Event "a/b" is invalid: metadata.name: Invalid value: "a/b": may not contain '/'`,
  ]);
  t.deepEqual(await refused({ name: '..' }), [
    422,
    `Event ".." is invalid: metadata.name: Invalid value: "..": may not be '..'`,
  ]);
  t.is((await server.post(events, { metadata: { name: 'Any_Segment' }, involvedObject: {} })).status, 201);
  const patched = await server.patch(`${events}/Any_Segment`, { metadata: { finalizers: ['no good'] } });
  t.is(patched.status, 422);
  t.regex(
    patched.body.message,
    /^Event "Any_Segment" is invalid: metadata\.finalizers: Invalid value: "no good"/,
  );
  const labelled = await server.patch(`${events}/Any_Segment`, { metadata: { labels: { a: '-' } } });
  t.regex(labelled.body.message, /metadata\.labels: Invalid value: "-"/);
});
