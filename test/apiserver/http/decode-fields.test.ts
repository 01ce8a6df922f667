import test from 'ava';
import { definitions } from '../../../api/openapi.ts';
import { decodeFields } from '../../../apiserver/http/decode-fields.ts';

const decode = (value: unknown, kind = 'Pod') =>
  decodeFields({ value, definition: `io.k8s.api.core.v1.${kind}`, definitions });

const container = (fields: object) => ({ spec: { containers: [{ name: 'a', ...fields }] } });

test('drops unknown fields and nulls, and says where', (t) => {
  const { value, findings } = decode({
    metadata: null,
    spec: { containers: [{ name: 'a', nmae: 'b', image: null }] },
    other: 1,
  });
  t.deepEqual(value, { spec: { containers: [{ name: 'a' }] } });
  t.deepEqual(findings, {
    unknown: ['spec.containers[0].nmae', 'other'],
    wrongType: undefined,
  });
});

const WRONG: [unknown, string][] = [
  [
    { spec: { hostNetwork: 'x' } },
    'json: cannot unmarshal string into Go struct field PodSpec.spec.hostNetwork of type bool',
  ],
  [
    { spec: { containers: {} } },
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [
    container({ image: 1 }),
    'json: cannot unmarshal number into Go struct field Container.spec.containers.image of type string',
  ],
  [
    container({ ports: [{ containerPort: 1.5 }] }),
    'json: cannot unmarshal number 1.5 into Go struct field ContainerPort.spec.containers.ports.containerPort of type int32',
  ],
  [
    { spec: { terminationGracePeriodSeconds: 1e19 } },
    'json: cannot unmarshal number 10000000000000000000 into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64',
  ],
  [
    { metadata: { labels: { a: 1 } } },
    'json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels.a of type string',
  ],
  [[], 'json: cannot unmarshal array into Go value of type v1.Pod'],
];

for (const [value, message] of WRONG) test(message, (t) => t.is(decode(value).findings.wrongType, message));

test('quantities may be numbers, ports numbers or names', (t) => {
  const { value } = decode(
    container({ resources: { limits: { cpu: 1 } }, livenessProbe: { tcpSocket: { port: 'http' } } }),
  );
  t.deepEqual(
    value,
    container({ resources: { limits: { cpu: '1' } }, livenessProbe: { tcpSocket: { port: 'http' } } }),
  );
  t.regex(
    decode(container({ resources: { limits: { cpu: 'lots' } } })).findings.wrongType ?? '',
    /^quantities must match/,
  );
});

test('bytes must be base64, times RFC 3339', (t) => {
  t.is(decode({ data: { a: 'a*b=' } }, 'Secret').findings.wrongType, 'illegal base64 data at input byte 1');
  t.regex(
    decode({ metadata: { deletionTimestamp: 'now' } }).findings.wrongType ?? '',
    /^parsing time "now" as/,
  );
});

test("a key of JSON's own objects is only a key", (t) => {
  const { value } = decode(
    JSON.parse('{"metadata":{"labels":{"__proto__":"x","constructor":"y"}},"__proto__":{"spec":{}}}'),
  );
  const { metadata } = value as { metadata: { labels: object } };
  t.deepEqual(Object.keys(metadata.labels), ['__proto__', 'constructor']);
  t.false('spec' in (value as object));
});
