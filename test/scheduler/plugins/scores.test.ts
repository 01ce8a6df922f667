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
