import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from '../../../api/types.ts';
import { startTestServer } from '../test-server.ts';
import { definitionOf, DEFINITIONS, versionOf, widget, WIDGETS } from './definitions.ts';

const ONE = `${WIDGETS}/one`;

const serve = async (
  t: ExecutionContext,
  spec?: JSONSchemaProps,
  more?: Partial<CustomResourceDefinitionVersion>,
) => {
  const server = await startTestServer(t);
  const made = await server.post(DEFINITIONS, definitionOf([versionOf(spec, more)]));
  t.is(made.status, 201, made.text);
  return server;
};

const SPEC: JSONSchemaProps = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10 },
    color: { type: 'string', enum: ['red', 'green'], default: 'red' },
    name: { type: 'string', pattern: '^[a-z]+$', maxLength: 5 },
    tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ports: {
      type: 'array',
      maxItems: 2,
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['port'],
      items: {
        type: 'object',
        required: ['port'],
        properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' } },
      },
    },
    target: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    template: {
      type: 'object',
      'x-kubernetes-embedded-resource': true,
      'x-kubernetes-preserve-unknown-fields': true,
    },
    maybe: { type: 'string', nullable: true },
  },
};

test('unknown fields go, defaults come, and what may be free stays', async (t) => {
  const server = await serve(t, SPEC);
  const template = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', odd: 1 }, spec: { any: 1 } };
  const spec = {
    size: 1,
    color: null,
    name: null,
    maybe: null,
    odd: 1,
    ports: [{ port: 80, odd: 1 }],
    free: { a: { b: 1 } },
    labels: { k: 'v' },
    template,
  };
  const made = await server.post(WIDGETS, {
    ...widget('one', spec),
    odd: 1,
    metadata: { name: 'one', odd: 1 },
  });
  t.is(made.status, 201, made.text);
  t.deepEqual(made.body.spec, {
    size: 1,
    color: 'red',
    maybe: null,
    ports: [{ port: 80, protocol: 'TCP' }],
    free: { a: { b: 1 } },
    labels: { k: 'v' },
    template: { ...template, metadata: { name: 'x' } },
  });
  t.is(made.body.odd, undefined);
  t.deepEqual(String(made.headers.warning).match(/unknown field [^ ]+"/g), [
    'unknown field \\"metadata.odd\\""',
    'unknown field \\"odd\\""',
    'unknown field \\"spec.odd\\""',
    'unknown field \\"spec.ports[0].odd\\""',
    'unknown field \\"spec.template.metadata.odd\\""',
  ]);
  const strict = await server.post(`${WIDGETS}?fieldValidation=Strict`, widget('two', { size: 1, odd: 1 }));
  t.is(strict.status, 400);
  t.is(
    strict.body.message,
    'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.odd"',
  );
});

const REFUSED: [spec: object, causes: string[]][] = [
  [{}, ['spec.size: Required value']],
  [
    { size: 'x' },
    ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ],
  [{ size: 0 }, ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1']],
  [{ size: 11 }, ['spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10']],
  [{ size: 1, color: 'blue' }, ['spec.color: Unsupported value: "blue": supported values: "red", "green"']],
  [{ size: 1, name: 'A' }, [`spec.name: Invalid value: "A": spec.name in body should match '^[a-z]+$'`]],
  [{ size: 1, name: 'abcdef' }, ['spec.name: Too long: may not be more than 5 bytes']],
  [{ size: 1, tags: ['a', 'b', 'a'] }, ['spec.tags[2]: Duplicate value: "a"']],
  [{ size: 1, ports: [{ port: 1 }, { port: 1 }] }, ['spec.ports[1]: Duplicate value: {"port":1}']],
  [
    { size: 1, ports: [{ port: 1 }, { port: 2 }, { port: 3 }] },
    ['spec.ports: Too many: 3: must have at most 2 items'],
  ],
  [{ size: 1, ports: [{}] }, ['spec.ports[0].port: Required value']],
  [
    { size: 1, target: true },
    ['spec.target: Invalid value: "boolean": spec.target in body must be of type integer,string: "boolean"'],
  ],
  [
    { size: 1, labels: { a: 1 } },
    ['spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'],
  ],
  [{ size: 1, template: { kind: 'Pod' } }, ['spec.template.apiVersion: Required value']],
  [
    { size: 1, template: { apiVersion: 'v1', kind: 'p?' } },
    [
      "spec.template.kind: Invalid value: \"p?\": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
];

const NOT_CHECKED =
  '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

test('what the schema does not allow is refused in upstream words', async (t) => {
  const server = await serve(t, SPEC);
  for (const [spec, expected] of REFUSED) {
    const { status, body, text } = await server.post(WIDGETS, widget('one', spec));
    t.is(status, 422, text);
    const causes = body.details.causes.map(
      ({ field, message }: { field: string; message: string }) => `${field}: ${message}`,
    );
    t.deepEqual(
      causes.filter((cause: string) => cause !== NOT_CHECKED),
      expected,
    );
  }
  const named = await server.post(WIDGETS, widget('Bad_Name', { size: 1 }));
  t.regex(
    named.body.message,
    /^Widget.example.com "Bad_Name" is invalid: metadata.name: Invalid value: "Bad_Name"/,
  );
  const typed = await server.post(WIDGETS, { ...widget('one', { size: 1 }), metadata: { name: 1 } });
  t.is(typed.status, 400);
  t.regex(
    typed.body.message,
    /json: cannot unmarshal number into Go struct field ObjectMeta.name of type string/,
  );
});

test('what was wrong before may stay when the rest changes', async (t) => {
  const server = await serve(t, {
    type: 'object',
    properties: { a: { type: 'string' }, b: { type: 'string' } },
  });
  await server.post(WIDGETS, widget('one', { a: 'long', b: 'x' }));
  const path = `${DEFINITIONS}/widgets.example.com`;
  const definition = (await server.get(path)).body;
  const properties = { a: { type: 'string', maxLength: 1 }, b: { type: 'string' } };
  definition.spec.versions = [versionOf({ type: 'object', properties })];
  t.is((await server.put(path, definition)).status, 200);
  t.is((await server.patch(ONE, { spec: { b: 'y' } })).status, 200);
  const refused = await server.patch(ONE, { spec: { a: 'longer' } });
  t.is(refused.status, 422);
  t.is(refused.body.details.causes[0].message, 'Too long: may not be more than 1 byte');
});

test('the status has a path of its own, and is no new generation', async (t) => {
  const server = await serve(t);
  const made = await server.post(WIDGETS, { ...widget('one', { a: 1 }), status: { ready: true } });
  t.like(made.body, { metadata: { generation: 1 } });
  t.is(made.body.status, undefined);
  const status = await server.patch(`${ONE}/status`, {
    metadata: { labels: { a: 'b' } },
    spec: { a: 2 },
    status: { ready: true, odd: 1 },
  });
  t.like(status.body, { metadata: { generation: 1 }, spec: { a: 1 } });
  t.deepEqual(status.body.status, { ready: true });
  t.is(status.body.metadata.labels, undefined);
  const wrong = await server.patch(`${ONE}/status`, { status: { ready: 'x' } });
  t.is(
    wrong.body.details.causes[0].message,
    'Invalid value: "string": ready in body must be of type boolean: "string"',
  );
  t.is(wrong.body.details.causes[0].field, 'status.ready');
  const changed = await server.patch(ONE, { spec: { a: 3 }, status: { ready: false } });
  t.like(changed.body, { metadata: { generation: 2 }, spec: { a: 3 }, status: { ready: true } });
  const same = await server.patch(ONE, { metadata: { labels: { a: 'b' } } });
  t.is(same.body.metadata.generation, 2);
});

test('without a status path the status is a field like any other', async (t) => {
  const server = await serve(t, undefined, { subresources: {} });
  const made = await server.post(WIDGETS, { ...widget('one'), status: { ready: true } });
  t.deepEqual(made.body.status, { ready: true });
  const changed = await server.patch(ONE, { status: { ready: false } });
  t.is(changed.body.metadata.generation, 2);
  t.is((await server.get(`${ONE}/status`)).status, 404);
});

test('PUT must tell which version it replaces', async (t) => {
  const server = await serve(t);
  const made = await server.post(WIDGETS, widget('one', { a: 1 }));
  const blind = await server.put(ONE, widget('one', { a: 2 }));
  t.is(blind.status, 422);
  t.is(blind.body.details.causes[0].field, 'metadata.resourceVersion');
  t.is((await server.put(ONE, { ...made.body, spec: { a: 2 } })).status, 200);
  t.is((await server.put(ONE, { ...made.body, spec: { a: 3 } })).status, 409);
});

test('patches: JSON and merge, no strategic merge', async (t) => {
  const server = await serve(t, SPEC);
  await server.post(WIDGETS, widget('one', { size: 1, ports: [{ port: 80 }] }));
  const strategic = await server.patch(ONE, {}, 'application/strategic-merge-patch+json');
  t.is(strategic.status, 415);
  t.is(
    strategic.body.message,
    'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
  );
  const merged = await server.patch(ONE, { spec: { ports: [{ port: 81 }] } });
  t.deepEqual(merged.body.spec.ports, [{ port: 81, protocol: 'TCP' }]);
  const patched = await server.patch(
    ONE,
    [{ op: 'replace', path: '/spec/size', value: 2 }],
    'application/json-patch+json',
  );
  t.is(patched.body.spec.size, 2);
});

const APPLY = 'application/apply-patch+yaml';

test('server-side apply merges lists by the keys of the schema', async (t) => {
  const server = await serve(t, SPEC);
  const apply = (manager: string, spec: object) =>
    server.patch(`${ONE}?fieldManager=${manager}`, JSON.stringify(widget('one', spec)), APPLY);
  t.is((await apply('a', { size: 1, ports: [{ port: 80 }], tags: ['x'] })).status, 201);
  const second = await apply('b', { ports: [{ port: 81, protocol: 'UDP' }], tags: ['y'] });
  t.deepEqual(second.body.spec, {
    size: 1,
    color: 'red',
    ports: [
      { port: 80, protocol: 'TCP' },
      { port: 81, protocol: 'UDP' },
    ],
    tags: ['x', 'y'],
  });
  const conflict = await apply('b', { size: 2 });
  t.is(conflict.status, 409);
  t.is(conflict.body.message, 'Apply failed with 1 conflict: conflict with "a": .spec.size');
  const without = await apply('a', { size: 1, tags: ['x'] });
  t.deepEqual(without.body.spec.ports, [{ port: 81, protocol: 'UDP' }]);
});

test('what is no longer applied goes with the map that is empty without it', async (t) => {
  const integer: JSONSchemaProps = { type: 'integer' };
  const limits: JSONSchemaProps = { type: 'object', required: ['low'], properties: { low: integer } };
  const more: JSONSchemaProps = { type: 'object', properties: { a: integer } };
  const server = await serve(t, { type: 'object', properties: { limits, more, shared: more } });
  const apply = (manager: string, spec: object) =>
    server.patch(`${ONE}?fieldManager=${manager}`, widget('one', spec), APPLY);
  t.is((await apply('a', { limits: { low: 1 }, more: { a: 1 }, shared: { a: 1 } })).status, 201);
  t.is((await apply('b', { shared: { a: 1 } })).status, 200);
  const fewer = await apply('a', { more: {} });
  t.is(fewer.status, 200, fewer.text);
  t.deepEqual(fewer.body.spec, { more: {}, shared: { a: 1 } });
});

test('an applier is the same in every version', async (t) => {
  const server = await startTestServer(t);
  const versions = [versionOf(), versionOf(undefined, { name: 'v2', storage: false })];
  t.is((await server.post(DEFINITIONS, definitionOf(versions))).status, 201);
  const apply = (version: string, spec: object) =>
    server.patch(
      `/apis/example.com/${version}/namespaces/default/widgets/one?fieldManager=a`,
      { ...widget('one', spec), apiVersion: `example.com/${version}` },
      APPLY,
    );
  t.is((await apply('v1', { a: 1, b: 1 })).status, 201);
  const second = await apply('v2', { a: 2 });
  t.is(second.status, 200, second.text);
  t.deepEqual(second.body.spec, { a: 2 });
  const [entry, ...others] = second.body.metadata.managedFields as object[];
  t.like(entry, { manager: 'a', apiVersion: 'example.com/v2' });
  t.deepEqual(others, []);
});

test('the scale shows and changes replicas', async (t) => {
  const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' };
  const server = await serve(t, undefined, { subresources: { status: {}, scale } });
  await server.post(WIDGETS, widget('one', { replicas: 2 }));
  const read = await server.get(`${ONE}/scale`);
  t.like(read.body, {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    spec: { replicas: 2 },
    status: { replicas: 0 },
  });
  t.is((await server.put(`${ONE}/scale`, { ...read.body, spec: { replicas: 3 } })).body.spec.replicas, 3);
  t.is((await server.put(`${ONE}/scale`, { ...read.body, spec: { replicas: 4 } })).status, 409);
  t.is((await server.patch(`${ONE}/scale`, { spec: { replicas: 5 } })).status, 200);
  t.like((await server.get(ONE)).body, { metadata: { generation: 3 }, spec: { replicas: 5 } });
  t.is((await server.patch(`${ONE}/scale`, { spec: { replicas: -1 } })).status, 422);
  const test = [{ op: 'test', path: '/spec/replicas', value: 1 }];
  t.is((await server.patch(`${ONE}/scale`, test, 'application/json-patch+json')).status, 422);
  const negative = await server.patch(ONE, { spec: { replicas: -1 } });
  t.is(negative.body.details.causes[0].message, 'Invalid value: -1: should be a non-negative integer');
  await server.post(WIDGETS, widget('bare'));
  const bare = await server.get(`${WIDGETS}/bare/scale`);
  t.is(bare.status, 500);
  t.regex(bare.body.message, /the spec replicas field ".spec.replicas" does not exist/);
});

const COLUMNS = [
  { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
  { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
  { name: 'List', type: 'string', jsonPath: '.spec.list', priority: 1 },
  { name: 'Since', type: 'date', jsonPath: '.metadata.creationTimestamp' },
];

test('tables show the columns of the definition', async (t) => {
  const server = await serve(t, undefined, { additionalPrinterColumns: COLUMNS });
  await server.post(WIDGETS, widget('one', { size: 1, list: ['a', 1] }));
  await server.post(WIDGETS, widget('two', { size: 'x' }));
  const headers = { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' };
  const table = await server.get(WIDGETS, { headers });
  t.deepEqual(
    table.body.columnDefinitions.map(
      ({ name, type, priority }: { name: string; type: string; priority: number }) => [name, type, priority],
    ),
    [
      ['Name', 'string', 0],
      ['Size', 'integer', 0],
      ['Ready', 'string', 0],
      ['List', 'string', 1],
      ['Since', 'date', 0],
    ],
  );
  const cells = table.body.rows.map((row: { cells: unknown[] }) => row.cells.slice(0, 4));
  t.deepEqual(cells, [
    ['one', 1, null, '["a",1]'],
    ['two', null, null, null],
  ]);
});

test('field selectors name the selectable fields, and no others', async (t) => {
  const server = await serve(t, SPEC, {
    selectableFields: [{ jsonPath: '.spec.color' }, { jsonPath: '.spec.size' }],
  });
  await server.post(WIDGETS, widget('one', { size: 1, color: 'green' }));
  await server.post(WIDGETS, widget('two', { size: 2 }));
  const names = async (selector: string) =>
    (await server.get(`${WIDGETS}?fieldSelector=${selector}`)).body.items.map(
      ({ metadata }: { metadata: { name: string } }) => metadata.name,
    );
  t.deepEqual(await names('spec.color=red'), ['two']);
  t.deepEqual(await names('spec.color!=red,spec.size=1'), ['one']);
  const refused = await server.get(`${WIDGETS}?fieldSelector=spec.name=x`);
  t.is(refused.status, 400);
  t.regex(refused.body.message, /field label not supported: spec.name$/);
});

test('watch, and deletion of a collection', async (t) => {
  const server = await serve(t);
  const watch = await server.watch(`/apis/example.com/v1/widgets?watch=true&resourceVersion=0`);
  await server.post(WIDGETS, widget('one', { a: 1 }, { labels: { x: 'y' } }));
  await server.post(WIDGETS, widget('two'));
  t.like(await watch.next(), { type: 'ADDED', object: { kind: 'Widget', metadata: { name: 'one' } } });
  t.like(await watch.next(), { type: 'ADDED', object: { metadata: { name: 'two' } } });
  await server.remove(`${WIDGETS}?labelSelector=x%3Dy`);
  t.like(await watch.next(), { type: 'DELETED', object: { metadata: { name: 'one' }, spec: { a: 1 } } });
  watch.end();
  const left = await server.get(WIDGETS);
  t.is(left.body.items.length, 1);
  const removed = await server.remove(`${WIDGETS}/two`);
  t.like(removed.body, {
    kind: 'Status',
    status: 'Success',
    details: { group: 'example.com', kind: 'widgets' },
  });
});

test('objects of the whole cluster', async (t) => {
  const server = await startTestServer(t);
  await server.post(DEFINITIONS, definitionOf(undefined, { scope: 'Cluster' }));
  const path = '/apis/example.com/v1/widgets';
  t.is((await server.post(path, widget('one'))).body.metadata.namespace, undefined);
  t.is((await server.get(WIDGETS)).status, 404);
  t.is((await server.get(`${path}/one`)).status, 200);
});

test('protobuf has no message for custom resources', async (t) => {
  const server = await serve(t);
  const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' };
  const refused = await server.post(WIDGETS, 'k8s', { headers });
  t.is(refused.status, 415);
  t.regex(refused.body.message, /accepted media types include: application\/json, application\/yaml$/);
});

test('a finalizer without a domain gets a warning', async (t) => {
  const server = await serve(t);
  const made = await server.post(WIDGETS, widget('one', {}, { finalizers: ['hold'] }));
  t.is(
    made.headers.warning,
    '299 - "metadata.finalizers: \\"hold\\": prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"',
  );
});

test('rules of the definition refuse objects', async (t) => {
  const rules = [{ rule: 'self.low <= self.high', message: 'low must not exceed high' }];
  const properties = { low: { type: 'integer' }, high: { type: 'integer' } };
  const server = await serve(t, { type: 'object', properties, 'x-kubernetes-validations': rules });
  t.is((await server.post(WIDGETS, widget('one', { low: 1, high: 2 }))).status, 201);
  const refused = await server.patch(ONE, { spec: { low: 3 } });
  t.is(refused.status, 422);
  t.is(
    refused.body.message,
    'Widget.example.com "one" is invalid: spec: Invalid value: low must not exceed high',
  );
});
