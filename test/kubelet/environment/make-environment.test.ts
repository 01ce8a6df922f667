import test from 'ava';
import { notFound } from '../../../api/status.ts';
import type { ConfigMap, Container, Pod, Secret } from '../../../api/types.ts';
import { bytesOfText } from '../../../linux/byte-text.ts';
import { expandCommand } from '../../../kubelet/environment/expand-container.ts';
import { makeEnvironment } from '../../../kubelet/environment/make-environment.ts';
import type { EnvironmentOptions } from '../../../kubelet/environment/make-environment.ts';

const configMaps: Record<string, ConfigMap> = {
  c: { data: { key: 'from-config', 'dotted.key': 'x' } },
};
const secrets: Record<string, Secret> = {
  s: { data: { key: btoa('from-secret') } },
  raw: { data: { key: btoa('a\x80\xff') } },
};

const find = <T>(objects: Record<string, T>, resource: string, name: string): Promise<T> => {
  const object = objects[name];
  return object === undefined
    ? Promise.reject(notFound({ group: '', resource }, name))
    : Promise.resolve(object);
};

const pod: Pod = {
  metadata: { name: 'p', namespace: 'ns', uid: 'u1', labels: { app: 'a' }, annotations: { note: 'n' } },
  spec: { nodeName: 'node-1', serviceAccountName: 'robot', containers: [{ name: 'main' }] },
};

const make = (container: Partial<Container>, more: Partial<EnvironmentOptions> = {}) =>
  makeEnvironment({
    pod,
    container: { name: 'main', ...container },
    podIps: ['10.0.0.5', 'fd00::5'],
    hostIps: ['192.168.0.1'],
    nodeAllocatable: { cpu: '4', memory: '8Gi', 'ephemeral-storage': '100Gi' },
    getConfigMap: (namespace, name) => {
      if (namespace !== 'ns') throw new Error(`wrong namespace ${namespace}`);
      return find(configMaps, 'configmap', name);
    },
    getSecret: (_namespace, name) => find(secrets, 'secret', name),
    ...more,
  });

const asObject = async (environment: ReturnType<typeof make>) =>
  Object.fromEntries((await environment).map(({ name, value }) => [name, value]));

test('values, in order, with $(VAR)', async (t) => {
  const env = [
    { name: 'A', value: '1' },
    { name: 'B', value: '$(A)-$(A)' },
    { name: 'EARLY', value: '$(LATE)' },
    { name: 'LATE', value: 'x' },
    { name: 'ESCAPED', value: '$$(A) $$$(A) $$$$(A)' },
    { name: 'OTHER', value: '$A $(unclosed ${A} $' },
    { name: 'EMPTY' },
    { name: 'A', value: '2$(SVC)' },
  ];
  const environment = await make({ env }, { serviceEnvironment: { SVC: 'svc', A: 'of-service' } });
  t.deepEqual(environment, [
    { name: 'A', value: '2svc' },
    { name: 'B', value: '1-1' },
    { name: 'EARLY', value: '$(LATE)' },
    { name: 'LATE', value: 'x' },
    { name: 'ESCAPED', value: '$(A) $1 $$(A)' },
    { name: 'OTHER', value: '$A $(unclosed ${A} $' },
    { name: 'EMPTY', value: '' },
    { name: 'SVC', value: 'svc' },
  ]);
});

test('what comes out of a variable is not expanded again', async (t) => {
  const env = [
    { name: 'A', value: '$$(B)' },
    { name: 'B', value: 'secret' },
    { name: 'C', value: '$(A)' },
  ];
  t.is((await asObject(make({ env })))['C'], '$(B)');
});

test('envFrom with a prefix, overridden by env', async (t) => {
  const container = {
    envFrom: [
      { configMapRef: { name: 'c' } },
      { secretRef: { name: 's' }, prefix: 'S_' },
      { configMapRef: { name: 'none', optional: true } },
      { secretRef: { name: 'none', optional: true } },
    ],
    env: [{ name: 'key', value: 'own $(S_key)' }],
  };
  t.deepEqual(await asObject(make(container)), {
    key: 'own from-secret',
    'dotted.key': 'x',
    S_key: 'from-secret',
  });
});

test('keys of ConfigMaps and Secrets; optional ones that are missing are left out', async (t) => {
  const env = [
    { name: 'C', valueFrom: { configMapKeyRef: { name: 'c', key: 'key' } } },
    { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'key' } } },
    { name: 'NO_KEY', valueFrom: { configMapKeyRef: { name: 'c', key: 'none', optional: true } } },
    { name: 'NO_MAP', valueFrom: { configMapKeyRef: { name: 'none', key: 'key', optional: true } } },
    { name: 'NO_SECRET', valueFrom: { secretKeyRef: { name: 'none', key: 'key', optional: true } } },
  ];
  t.deepEqual(await asObject(make({ env })), { C: 'from-config', S: 'from-secret' });
});

test('bytes of a Secret that are no text stay what they are', async (t) => {
  const bytes = Buffer.of(0x61, 0x80, 0xff);
  const env = [{ name: 'ONE', valueFrom: { secretKeyRef: { name: 'raw', key: 'key' } } }];
  const envFrom = [{ secretRef: { name: 'raw' }, prefix: 'ALL_' }];
  const made = await asObject(make({ env: [...env, { name: 'TWICE', value: '$(ONE)$(ONE)' }], envFrom }));
  t.deepEqual(bytesOfText(made['ONE'] ?? ''), bytes);
  t.deepEqual(bytesOfText(made['ALL_key'] ?? ''), bytes);
  t.deepEqual(bytesOfText(made['TWICE'] ?? ''), Buffer.concat([bytes, bytes]));
});

test('fields of the Pod', async (t) => {
  const fields: Record<string, string> = {
    'metadata.name': 'p',
    'metadata.namespace': 'ns',
    'metadata.uid': 'u1',
    "metadata.labels['app']": 'a',
    "metadata.labels['none']": '',
    "metadata.annotations['note']": 'n',
    'spec.nodeName': 'node-1',
    'spec.serviceAccountName': 'robot',
    'status.podIP': '10.0.0.5',
    'status.podIPs': '10.0.0.5,fd00::5',
    'status.hostIP': '192.168.0.1',
    'status.hostIPs': '192.168.0.1',
  };
  const env = Object.keys(fields).map((fieldPath) => ({
    name: fieldPath,
    valueFrom: { fieldRef: { fieldPath } },
  }));
  t.deepEqual(await asObject(make({ env })), fields);
});

test('resources, with divisors, limits defaulting to the node', async (t) => {
  const resources = { limits: { memory: '100Mi' }, requests: { cpu: '250m', memory: '1Mi' } };
  const values: [string, string, string][] = [
    ['limits.cpu', '0', '4'],
    ['limits.cpu', '1m', '4000'],
    ['limits.memory', '0', '104857600'],
    ['limits.memory', '1Mi', '100'],
    ['limits.memory', '1G', '1'],
    ['limits.ephemeral-storage', '1Gi', '100'],
    ['requests.cpu', '0', '1'],
    ['requests.cpu', '1m', '250'],
    ['requests.memory', '1Ki', '1024'],
    ['requests.ephemeral-storage', '0', '0'],
  ];
  const env = values.map(([resource, divisor], index) => ({
    name: `V${index}`,
    valueFrom: { resourceFieldRef: { resource, divisor } },
  }));
  const environment = await make({ env, resources });
  t.deepEqual(
    environment.map(({ value }) => value),
    values.map(([, , value]) => value),
  );
});

const errors: [string, Partial<Container>, string][] = [
  [
    'a missing ConfigMap',
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] },
    'configmap "none" not found',
  ],
  ['a missing Secret', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
  [
    'a missing key of a ConfigMap',
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'none' } } }] },
    "couldn't find key none in ConfigMap ns/c",
  ],
  [
    'a missing key of a Secret',
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'none' } } }] },
    "couldn't find key none in Secret ns/s",
  ],
  [
    'an unknown field',
    { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.restartPolicy' } } }] },
    'unsupported fieldPath: spec.restartPolicy',
  ],
  [
    'a subscript of another field',
    { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: "metadata.name['x']" } } }] },
    'fieldPath "metadata.name[\'x\']" does not support subscript',
  ],
  [
    'an unknown resource',
    { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } }] },
    'unsupported container resource : limits.gpu',
  ],
  [
    'another container that isn’t there',
    { env: [{ name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'x' } } }] },
    'container x not found',
  ],
];

for (const [title, container, message] of errors) {
  test(`${title} is a CreateContainerConfigError`, async (t) => {
    const error = await t.throwsAsync(make(container), { message, name: 'ContainerConfigError' });
    t.like(error, { reason: 'CreateContainerConfigError' });
  });
}

test('a variable out of a file in a volume', async (t) => {
  const env = [
    { name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f.env', key: 'KEY' } } },
    { name: 'B', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'f.env', key: 'NONE', optional: true } } },
  ];
  const readVolumeFile = async () => "# comment\nKEY='a\nb' # tail\n";
  t.deepEqual(await asObject(make({ env }, { readVolumeFile })), { A: 'a\nb' });
  const broken = make({ env }, { readVolumeFile: async () => 'KEY=unquoted' });
  await t.throwsAsync(broken, { message: "couldn't parse env file" });
});

test('command and args', (t) => {
  const container = { command: ['echo', '$(A)'], args: ['$$(A)', '$(NONE)'] };
  t.deepEqual(expandCommand(container, [{ name: 'A', value: '1' }]), {
    command: ['echo', '1'],
    args: ['$(A)', '$(NONE)'],
  });
});
