import test from 'ava';
import { applyDefaults } from '../../../api/defaults/defaults.ts';
import { pullPolicyOf } from '../../../api/defaults/container.ts';
import type { KubernetesObject } from '../../../api/types.ts';

/** The object with its defaults; it stays a plain value for the comparison. */
function defaulted(object: unknown): Record<string, unknown> {
  const copy = structuredClone(object) as KubernetesObject;
  applyDefaults(copy);
  return copy as Record<string, unknown>;
}

const pod = (spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' }, spec });
const container = (fields: object = {}) => ({ name: 'c', image: 'busybox', ...fields });

/** The first container of a Pod with these fields, defaulted. */
const containerOf = (fields: object) =>
  (defaulted(pod({ containers: [container(fields)] }))['spec'] as { containers: object[] }).containers[0];
const volumeOf = (source: object) =>
  (defaulted(pod({ containers: [], volumes: [{ name: 'v', ...source }] }))['spec'] as { volumes: object[] })
    .volumes[0];

test('a Pod gets the defaults of its spec and containers', (t) => {
  t.deepEqual(defaulted(pod({ containers: [container()] })), {
    ...pod({
      containers: [
        container({
          imagePullPolicy: 'Always',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
        }),
      ],
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      restartPolicy: 'Always',
      schedulerName: 'default-scheduler',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    }),
    status: {},
  });
});

test('a negative grace period is one second for a Pod, and stays in a template', (t) => {
  const spec = { containers: [container()], terminationGracePeriodSeconds: -5 };
  const ofPod = defaulted(pod(spec)) as { spec: object };
  t.like(ofPod.spec, { terminationGracePeriodSeconds: 1 });
  const podTemplate = { apiVersion: 'v1', kind: 'PodTemplate', metadata: { name: 'a' }, template: { spec } };
  const { template } = defaulted(podTemplate) as { template: { spec: object } };
  t.like(template.spec, { terminationGracePeriodSeconds: -5 });
});

test('defaults are no more than defaults: applying them twice changes nothing', (t) => {
  const once = defaulted(
    pod({ containers: [container({ livenessProbe: { httpGet: { port: 80 } } })], hostNetwork: true }),
  );
  t.deepEqual(defaulted(once), once);
});

const digest = `sha256:${'0'.repeat(64)}`;
const pullPolicies: [image: string, policy: string][] = [
  ['busybox', 'Always'],
  ['busybox:latest', 'Always'],
  ['busybox:1.36', 'IfNotPresent'],
  ['localhost:5000/busybox', 'Always'],
  ['localhost:5000/busybox:1', 'IfNotPresent'],
  [`busybox@${digest}`, 'IfNotPresent'],
  [`busybox:latest@${digest}`, 'Always'],
  ['Not An Image:latest', 'IfNotPresent'],
];

for (const [image, policy] of pullPolicies)
  test(`${image} is pulled ${policy}`, (t) => t.is(pullPolicyOf(image), policy));

test('requests default to limits, in canonical form', (t) => {
  t.like(
    containerOf({ resources: { limits: { cpu: '0.5', memory: '1024Mi' }, requests: { cpu: '100m' } } }),
    {
      resources: { limits: { cpu: '500m', memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } },
    },
  );
  t.like(containerOf({ resources: { limits: { cpu: '100u' } } }), { resources: { limits: { cpu: '1m' } } });
});

test('ports, environment, probes and hooks', (t) => {
  const defaultedContainer = containerOf({
    ports: [{ containerPort: 80 }],
    env: [
      { name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    ],
    livenessProbe: { httpGet: { port: 80 } },
    readinessProbe: { grpc: { port: 80 }, periodSeconds: 5 },
    lifecycle: { preStop: { httpGet: { port: 80, path: '/bye' } } },
  });
  t.like(defaultedContainer, {
    ports: [{ containerPort: 80, protocol: 'TCP' }],
    env: [
      { name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '0' } } },
    ],
    livenessProbe: {
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    },
    readinessProbe: { grpc: { port: 80, service: '' }, periodSeconds: 5 },
    lifecycle: { preStop: { httpGet: { port: 80, path: '/bye', scheme: 'HTTP' } } },
  });
});

const volumes: [title: string, source: object, expected: object][] = [
  ['nothing', {}, { emptyDir: {} }],
  ['hostPath', { hostPath: { path: '/x' } }, { hostPath: { path: '/x', type: '' } }],
  ['configMap', { configMap: { name: 'c' } }, { configMap: { name: 'c', defaultMode: 0o644 } }],
  [
    'secret',
    { secret: { secretName: 's', defaultMode: 0o400 } },
    { secret: { secretName: 's', defaultMode: 0o400 } },
  ],
  [
    'downwardAPI',
    { downwardAPI: { items: [{ path: 'l', fieldRef: { fieldPath: 'metadata.labels' } }] } },
    {
      downwardAPI: {
        defaultMode: 0o644,
        items: [{ path: 'l', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.labels' } }],
      },
    },
  ],
  [
    'projected',
    { projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
    {
      projected: {
        defaultMode: 0o644,
        sources: [{ serviceAccountToken: { path: 't', expirationSeconds: 3600 } }],
      },
    },
  ],
  ['image', { image: { reference: 'a:1' } }, { image: { reference: 'a:1', pullPolicy: 'IfNotPresent' } }],
  ['iscsi', { iscsi: { iqn: 'iqn.x' } }, { iscsi: { iqn: 'iqn.x', iscsiInterface: 'default' } }],
];

for (const [title, source, expected] of volumes)
  test(`a volume of ${title}`, (t) => t.deepEqual(volumeOf(source), { name: 'v', ...expected } as object));

test('on the network of the host container ports are host ports', (t) => {
  const spec = defaulted(
    pod({ hostNetwork: true, containers: [container({ ports: [{ containerPort: 80 }] })] }),
  );
  t.like(spec, { spec: { containers: [{ ports: [{ containerPort: 80, hostPort: 80, protocol: 'TCP' }] }] } });
});

test('both names of the service account are served', (t) => {
  for (const field of ['serviceAccount', 'serviceAccountName'])
    t.like(defaulted(pod({ containers: [], [field]: 'robot' })), {
      spec: { serviceAccount: 'robot', serviceAccountName: 'robot' },
    });
});

test('requests of a Pod as a whole come from its containers, then from its limits', (t) => {
  const containers = [container({ resources: { requests: { cpu: '100m' } } })];
  t.like(defaulted(pod({ containers, resources: { limits: { cpu: '1', memory: '1Gi' } } })), {
    spec: { resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '100m', memory: '1Gi' } } },
  });
});

test('other kinds', (t) => {
  t.like(defaulted({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' } }), {
    metadata: { labels: { 'kubernetes.io/metadata.name': 'n' } },
    status: { phase: 'Active' },
  });
  t.like(defaulted({ apiVersion: 'v1', kind: 'Secret' }), { type: 'Opaque' });
  t.like(defaulted({ apiVersion: 'v1', kind: 'Node', status: { capacity: { cpu: '2.0' } } }), {
    status: { capacity: { cpu: '2' }, allocatable: { cpu: '2' } },
  });
  const binding = {
    roleRef: { kind: 'Role', name: 'r' },
    subjects: [
      { kind: 'User', name: 'u' },
      { kind: 'ServiceAccount', name: 's' },
    ],
  };
  const group = 'rbac.authorization.k8s.io';
  t.like(defaulted({ apiVersion: `${group}/v1`, kind: 'RoleBinding', ...binding }), {
    roleRef: { apiGroup: group },
    subjects: [{ apiGroup: group }, { kind: 'ServiceAccount' }],
  });
  t.like(
    defaulted({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      spec: { resources: { requests: { storage: '1024Mi' } } },
    }),
    {
      spec: { volumeMode: 'Filesystem', resources: { requests: { storage: '1Gi' } } },
      status: { phase: 'Pending' },
    },
  );
  t.like(defaulted({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' }), {
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
  t.like(defaulted({ apiVersion: 'v1', kind: 'Service', spec: { ports: [{ port: 80 }] } }), {
    spec: {
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }],
    },
  });
  const unknown = { apiVersion: 'example.com/v1', kind: 'Thing', spec: {} };
  t.deepEqual(defaulted(unknown), unknown);
});
