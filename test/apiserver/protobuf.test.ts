import test from 'ava';
import { definitionNameFor, definitions, schemasReachableFrom } from '../../api/openapi.ts';
import { decodeProtobuf } from '../../apiserver/protobuf/decode.ts';
import { fieldsOf, rowOf } from '../../apiserver/protobuf/fields.ts';
import { BUILT_IN_KINDS } from '../../apiserver/registry/built-in.ts';
import { encodeDefinition, json } from './protobuf/custom-resource-definition.ts';

/** Writes a length-delimited field. */
const field = (number: number, content: Buffer | string): Buffer => {
  const bytes = Buffer.from(content);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
};
const number = (tag: number, value: number): Buffer => Buffer.concat([varint(tag * 8), varint(value)]);

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}

const envelope = (kind: string, raw: Buffer, apiVersion = 'v1'): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0'),
    field(1, Buffer.concat([field(1, apiVersion), field(2, kind)])),
    field(2, raw),
    field(3, ''),
    field(4, ''),
  ]);

test('decodes names, maps and bytes; empty scalars are absent', (t) => {
  const metadata = Buffer.concat([
    field(1, 's'),
    field(3, ''),
    field(11, Buffer.concat([field(1, 'app'), field(2, 'web')])),
    field(8, ''),
  ]);
  const data = Buffer.concat([field(1, 'key'), field(2, Buffer.from([1, 2, 255]))]);
  const body = envelope(
    'Secret',
    Buffer.concat([field(1, metadata), field(2, data), field(3, 'Opaque'), number(5, 0)]),
  );
  t.deepEqual(decodeProtobuf(body, definitions), {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', labels: { app: 'web' } },
    data: { key: 'AQL/' },
    type: 'Opaque',
    immutable: false,
  });
});

test('decodes inlined messages, quantities, numbers or strings, and times', (t) => {
  const emptyDir = Buffer.concat([field(1, 'Memory'), field(2, field(1, '1Gi'))]);
  const volume = Buffer.concat([field(1, 'v'), field(2, field(2, emptyDir))]);
  const probe = Buffer.concat([
    field(1, field(3, field(1, Buffer.concat([number(1, 1), field(3, 'http')])))),
    number(3, 2),
  ]);
  const container = Buffer.concat([field(1, 'c'), field(10, probe)]);
  const spec = Buffer.concat([field(1, volume), field(2, container), number(4, 0), number(11, 0)]);
  const metadata = Buffer.concat([field(1, 'p'), field(8, number(1, 1_700_000_000))]);
  const body = envelope('Pod', Buffer.concat([field(1, metadata), field(2, spec)]));
  t.deepEqual(decodeProtobuf(body, definitions), {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', creationTimestamp: '2023-11-14T22:13:20Z' },
    spec: {
      volumes: [{ name: 'v', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }],
      containers: [{ name: 'c', livenessProbe: { tcpSocket: { port: 'http' }, timeoutSeconds: 2 } }],
      terminationGracePeriodSeconds: 0,
    },
  });
});

test('decodes the storage kinds as client-go writes them', (t) => {
  const pair = (key: string, value: string) => Buffer.concat([field(1, key), field(2, value)]);
  const metadata = field(1, field(1, 'x'));
  const source = field(1, 'pv-1');
  const error = Buffer.concat([field(1, number(1, 1_700_000_000)), field(2, 'no slot'), number(3, 0)]);
  const attachment = Buffer.concat([
    metadata,
    field(2, Buffer.concat([field(1, 'd.example.com'), field(2, source), field(3, 'node-1')])),
    field(3, Buffer.concat([number(1, 0), field(2, pair('devicePath', '/dev/loop0')), field(3, error)])),
  ]);
  const storage = 'storage.k8s.io/v1';
  t.deepEqual(decodeProtobuf(envelope('VolumeAttachment', attachment, storage), definitions), {
    apiVersion: storage,
    kind: 'VolumeAttachment',
    metadata: { name: 'x' },
    spec: { attacher: 'd.example.com', source: { persistentVolumeName: 'pv-1' }, nodeName: 'node-1' },
    status: {
      attached: false,
      attachmentMetadata: { devicePath: '/dev/loop0' },
      attachError: { time: '2023-11-14T22:13:20Z', message: 'no slot', errorCode: 0 },
    },
  });
  const topology = field(1, Buffer.concat([field(1, 'zone'), field(2, 'a'), field(2, 'b')]));
  const storageClass = Buffer.concat([
    metadata,
    field(2, 'd.example.com'),
    field(3, pair('type', 'fast')),
    field(4, 'Retain'),
    field(5, 'ro'),
    number(6, 1),
    field(7, 'WaitForFirstConsumer'),
    field(8, topology),
  ]);
  t.deepEqual(decodeProtobuf(envelope('StorageClass', storageClass, storage), definitions), {
    apiVersion: storage,
    kind: 'StorageClass',
    metadata: { name: 'x' },
    provisioner: 'd.example.com',
    parameters: { type: 'fast' },
    reclaimPolicy: 'Retain',
    mountOptions: ['ro'],
    allowVolumeExpansion: true,
    volumeBindingMode: 'WaitForFirstConsumer',
    allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a', 'b'] }] }],
  });
});

/** The names of a message's fields, with those of the messages in it whose fields stand in its JSON. */
function namesOf(row: string): string[] {
  const inline = (name: string) => `${row.slice(0, row.lastIndexOf('.'))}.${name}`;
  return [...(fieldsOf(row)?.values() ?? [])].flatMap(({ name, inlined }) =>
    inlined ? namesOf(inline(name)) : [name],
  );
}

test('knows every field of what the server reads', (t) => {
  const types = BUILT_IN_KINDS.flatMap((kind) => [
    kind,
    ...(kind.subresources ?? []).map((subresource) => ({ ...kind, ...subresource })),
  ]);
  const names = types.flatMap(({ group, version, kind }) => definitionNameFor(group, version, kind) ?? []);
  t.true(names.includes('io.k8s.api.policy.v1.Eviction'), 'of subresources too');
  const deletion = 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions';
  for (const [name, schema] of Object.entries(schemasReachableFrom([...names, deletion]))) {
    if (schema.properties === undefined) continue;
    const known = namesOf(rowOf(name));
    if (schema['x-kubernetes-group-version-kind'] !== undefined) known.push('apiVersion', 'kind');
    const missing = Object.keys(schema.properties).filter((property) => !known.includes(property));
    t.deepEqual(missing, [], name);
  }
});

test('keeps the zeros that JSON of Go tells, and only these', (t) => {
  const terminated = Buffer.concat([number(1, 0), number(2, 0), field(3, '')]);
  const container = Buffer.concat([
    field(1, 'c'),
    field(2, field(3, terminated)),
    number(4, 0),
    number(5, 0),
    field(6, ''),
    field(7, ''),
    field(8, ''),
  ]);
  const pod = decodeProtobuf(
    envelope('Pod', field(3, Buffer.concat([field(1, ''), field(8, container)]))),
    definitions,
  );
  t.deepEqual(pod, {
    apiVersion: 'v1',
    kind: 'Pod',
    status: {
      containerStatuses: [
        {
          name: 'c',
          state: { terminated: { exitCode: 0 } },
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
        },
      ],
    },
  });
  const scheduling = 'scheduling.k8s.io/v1';
  t.deepEqual(decodeProtobuf(envelope('PriorityClass', number(2, 0), scheduling), definitions), {
    apiVersion: scheduling,
    kind: 'PriorityClass',
    value: 0,
  });
});

test('decodes the schemas of custom resources and what may stand in their place', (t) => {
  const schema = {
    type: 'object',
    required: ['a', 'b'],
    properties: {
      a: { type: 'integer', default: json(0), minimum: 0, maximum: 2.5, nullable: false },
      b: { type: 'string', default: json(''), minLength: 0, enum: [{}, json('x'), json({ y: [null] })] },
      c: { type: 'array', items: { schema: { type: 'string' } }, additionalItems: { allows: true } },
      d: { items: { jSONSchemas: [{ ref: '#/a' }, { not: { type: 'null' } }] } },
      e: { additionalProperties: { allows: false } },
      f: { additionalProperties: { allows: true, schema: { xKubernetesIntOrString: true } } },
      g: { dependencies: { one: { property: ['two'] }, two: { schema: {} } } },
      h: { xKubernetesPreserveUnknownFields: true, externalDocs: { url: 'https://example.com' } },
      i: { xKubernetesListType: 'map', xKubernetesListMapKeys: ['k'], allOf: [{ description: 'd' }] },
    },
    xKubernetesValidations: [
      { rule: 'true', reason: 'FieldValueInvalid', fieldPath: '', optionalOldSelf: false },
    ],
  };
  const decoded = decodeProtobuf(
    encodeDefinition({ spec: { versions: [{ schema: { openAPIV3Schema: schema } }] } }),
    definitions,
  ) as { spec: { versions: { schema: { openAPIV3Schema: unknown } }[] } };
  t.deepEqual(decoded.spec.versions[0]?.schema.openAPIV3Schema, {
    type: 'object',
    required: ['a', 'b'],
    properties: {
      a: { type: 'integer', default: 0, minimum: 0, maximum: 2.5 },
      b: { type: 'string', default: '', minLength: 0, enum: [null, 'x', { y: [null] }] },
      c: { type: 'array', items: { type: 'string' }, additionalItems: true },
      d: { items: [{ $ref: '#/a' }, { not: { type: 'null' } }] },
      e: { additionalProperties: false },
      f: { additionalProperties: { 'x-kubernetes-int-or-string': true } },
      g: { dependencies: { one: ['two'], two: {} } },
      h: { 'x-kubernetes-preserve-unknown-fields': true, externalDocs: { url: 'https://example.com' } },
      i: {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        allOf: [{ description: 'd' }],
      },
    },
    'x-kubernetes-validations': [{ rule: 'true', reason: 'FieldValueInvalid', optionalOldSelf: false }],
  });
});

test('refuses what is no such message', (t) => {
  t.throws(() => decodeProtobuf(Buffer.from('{}'), definitions), {
    message: /does not appear to be a protobuf message/,
  });
  t.throws(() => decodeProtobuf(envelope('Widget', Buffer.alloc(0)), definitions), {
    message: /no kind "Widget" is registered/,
  });
  t.throws(() => decodeProtobuf(envelope('Pod', Buffer.from([10, 99])), definitions), {
    message: 'unexpected EOF',
  });
  const trailing = Buffer.concat([envelope('Pod', Buffer.alloc(0)), Buffer.alloc(2)]);
  t.throws(() => decodeProtobuf(trailing, definitions), { message: 'proto: illegal tag 0 (wire type 0)' });
});
