import test from 'ava';
import { definitions } from '../../api/openapi.ts';
import { decodeProtobuf } from '../../apiserver/protobuf/decode.ts';

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
});
