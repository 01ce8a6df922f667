import test from 'ava';
import { aCluster, aNode, aPod } from '../fixtures.ts';

const twoNodes = [aNode({ labels: { zone: 'a' } }), aNode({ name: 'node-2', labels: { zone: 'b' } })];

test('NodeResourcesFit: the emptier node', (t) => {
  const cluster = aCluster({ nodes: twoNodes, pods: { 'node-1': [aPod({ requests: { cpu: '1' } })] } });
  const scores = cluster.score(aPod({ requests: { cpu: '500m', memory: '1Gi' } }), 'NodeResourcesFit');
  // cpu: 1500 of 2000 taken leaves 25; memory: 1 GiB and the default 200 MiB of 4 GiB leaves 70.
  t.deepEqual(scores, { 'node-1': 47, 'node-2': 75 });
});

test('NodeResourcesBalancedAllocation: what evens out cpu and memory', (t) => {
  const cluster = aCluster({ nodes: twoNodes, pods: { 'node-1': [aPod({ requests: { memory: '2Gi' } })] } });
  const scores = cluster.score(aPod({ requests: { cpu: '1' } }), 'NodeResourcesBalancedAllocation');
  t.deepEqual(scores, { 'node-1': 87, 'node-2': 62 });
});

test('TaintToleration: disliked taints', (t) => {
  const taints = [{ key: 'a', effect: 'PreferNoSchedule' }];
  const cluster = aCluster({ nodes: [aNode({ spec: { taints } }), aNode({ name: 'node-2' })] });
  t.deepEqual(cluster.score(aPod(), 'TaintToleration'), { 'node-1': 0, 'node-2': 300 });
});

test('NodeAffinity: preferred terms by weight', (t) => {
  const prefer = (weight: number, zone: string) => ({
    weight,
    preference: { matchExpressions: [{ key: 'zone', operator: 'In', values: [zone] }] },
  });
  const pod = aPod({
    affinity: {
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefer(10, 'a'), prefer(40, 'b')] },
    },
  });
  t.deepEqual(aCluster({ nodes: twoNodes }).score(pod, 'NodeAffinity'), { 'node-1': 50, 'node-2': 200 });
});

test('ImageLocality: the node that has the image', (t) => {
  const image = { names: ['busybox:latest'], sizeBytes: 1000 * 1024 * 1024 };
  const [first, second] = [aNode(), aNode({ name: 'node-2' })];
  const withImage = { ...first, status: { ...first.status, images: [image] } };
  t.deepEqual(aCluster({ nodes: [withImage, second] }).score(aPod(), 'ImageLocality'), {
    'node-1': 48,
    'node-2': 0,
  });
});

test('InterPodAffinity: preferred near and away', (t) => {
  const term = (app: string) => ({
    weight: 5,
    podAffinityTerm: { topologyKey: 'zone', labelSelector: { matchLabels: { app } } },
  });
  const cluster = aCluster({
    nodes: twoNodes,
    pods: { 'node-1': [aPod({ labels: { app: 'db' } })], 'node-2': [aPod({ labels: { app: 'noisy' } })] },
  });
  const pod = aPod({
    affinity: {
      podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term('db')] },
      podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [term('noisy')] },
    },
  });
  t.deepEqual(cluster.score(pod, 'InterPodAffinity'), { 'node-1': 200, 'node-2': 0 });
});

test('PodTopologySpread: the domain with fewer pods', (t) => {
  const cluster = aCluster({ nodes: twoNodes, pods: { 'node-1': [aPod({ labels: { app: 'web' } })] } });
  const pod = aPod({
    labels: { app: 'web' },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
  });
  const scores = cluster.score(pod, 'PodTopologySpread');
  t.true((scores['node-2'] ?? 0) > (scores['node-1'] ?? 0));
});

/** Zone a has a node that takes no more pods, with two of them, and an empty one; zone b one with one pod. */
const withFullNode = (labels: Record<string, string>) =>
  aCluster({
    nodes: [
      aNode({ labels: { zone: 'a' }, allocatable: { pods: '2' } }),
      aNode({ name: 'node-2', labels: { zone: 'a' } }),
      aNode({ name: 'node-3', labels: { zone: 'b' } }),
    ],
    pods: { 'node-1': [aPod({ labels }), aPod({ labels })], 'node-3': [aPod({ labels })] },
  });

test('PodTopologySpread: the pods on a full node count for its zone', (t) => {
  const pod = aPod({
    labels: { app: 'web' },
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ],
  });
  // 2 and 1 pods times ln(2 zones + 2) are 3 and 1; the highest and the lowest less them, of the highest.
  t.deepEqual(withFullNode({ app: 'web' }).score(pod, 'PodTopologySpread'), { 'node-2': 66, 'node-3': 200 });
});

test('PodTopologySpread: only zones with a node that fits weigh', (t) => {
  const constraint = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: { app: 'web' } },
  });
  const zones = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
  const labels = { app: 'web' };
  const web = () => aPod({ labels });
  const cluster = aCluster({
    nodes: [
      aNode({ labels: { zone: 'a' } }),
      aNode({ name: 'node-2', labels: { zone: 'a' } }),
      ...zones.map((zone) => aNode({ name: `full-${zone}`, labels: { zone }, allocatable: { pods: '0' } })),
    ],
    pods: { 'node-1': [web()], 'node-2': [web(), web(), web()] },
  });
  const pod = aPod({
    labels,
    topologySpreadConstraints: [constraint('zone'), constraint('kubernetes.io/hostname')],
  });
  // 4 in the only zone times ln 3, and 1 and 3 on the nodes times ln 4: 6 and 9.
  t.deepEqual(cluster.score(pod, 'PodTopologySpread'), { 'node-1': 200, 'node-2': 132 });
});

test('InterPodAffinity: the pods on a full node count for its zone', (t) => {
  const podAffinityTerm = { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'db' } } };
  const affinity = {
    podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, podAffinityTerm }] },
  };
  t.deepEqual(withFullNode({ app: 'db' }).score(aPod({ affinity }), 'InterPodAffinity'), {
    'node-2': 200,
    'node-3': 0,
  });
});

test('PodTopologySpread: the pods of a Service are spread by default, over nodes without a zone too', (t) => {
  const service = (namespace: string, selector: Record<string, string>) => ({
    metadata: { name: 'web', namespace },
    spec: { selector },
  });
  const scores = (namespace: string, labels: Record<string, string>) =>
    aCluster({
      nodes: [
        aNode({ labels: { 'topology.kubernetes.io/zone': 'a' } }),
        aNode({ name: 'node-2', labels: { 'topology.kubernetes.io/zone': 'a' } }),
        aNode({ name: 'node-3' }),
      ],
      pods: { 'node-1': [aPod({ labels: { app: 'web' } })] },
      objects: { services: [service(namespace, { app: 'web' })] },
    }).score(aPod({ labels }), 'PodTopologySpread');
  // Node plus zone, each pods times weight plus the skew less one: ln 5 + 2 + ln 4 + 4 = 9, 2 + ln 4 + 4 = 7, and 2.
  t.deepEqual(scores('default', { app: 'web', more: 'yes' }), { 'node-1': 44, 'node-2': 88, 'node-3': 200 });
  t.deepEqual(scores('default', { app: 'other' }), { 'node-1': 0, 'node-2': 0, 'node-3': 0 });
  t.deepEqual(scores('elsewhere', { app: 'web' }), { 'node-1': 0, 'node-2': 0, 'node-3': 0 });
});
