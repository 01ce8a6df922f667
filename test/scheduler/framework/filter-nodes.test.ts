import test from 'ava';
import type { Pod } from '../../../api/types.ts';
import { aCluster, aNode, aPod } from '../fixtures.ts';

test('room that is made for a pod is not given to a less important one', (t) => {
  const cluster = aCluster({ nodes: [aNode()] });
  const important = aPod({ priority: 10, requests: { cpu: '2' } });
  const names = (pod: Pod) => cluster.filter(pod).names;
  cluster.cache.nominate(important, 'node-1');
  t.deepEqual(names(aPod({ priority: 5, requests: { cpu: '1' } })), []);
  t.deepEqual(names(aPod({ priority: 20, requests: { cpu: '1' } })), ['node-1']);
  t.deepEqual(names(important), ['node-1']);
  cluster.cache.nominate(important, undefined);
  t.deepEqual(names(aPod({ priority: 5, requests: { cpu: '1' } })), ['node-1']);
});

test('a pod can not rely on one that is only nominated', (t) => {
  const cluster = aCluster({ nodes: [aNode()] });
  cluster.cache.nominate(aPod({ labels: { app: 'db' } }), 'node-1');
  const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } };
  const near = aPod({
    affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } },
  });
  t.is(cluster.filter(near).message, "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.");
});

test('the node nominated for a pod is taken when it fits, whatever others score', (t) => {
  const cluster = aCluster({
    nodes: [aNode(), aNode({ name: 'node-2' }), aNode({ name: 'node-3', spec: { unschedulable: true } })],
  });
  const namesFor = (nominatedNodeName: string) =>
    cluster.filter({ ...aPod(), status: { nominatedNodeName } }).names;
  t.deepEqual(namesFor('node-2'), ['node-2']);
  t.deepEqual(namesFor('node-3'), ['node-1', 'node-2']);
  t.deepEqual(namesFor('gone'), ['node-1', 'node-2']);
});

test('a bound pod is no longer counted as nominated', (t) => {
  const cluster = aCluster({ nodes: [aNode()] });
  const pod = aPod({ priority: 10, requests: { cpu: '1' } });
  cluster.cache.nominate(pod, 'node-1');
  cluster.cache.setPod({ ...pod, spec: { containers: [], ...pod.spec, nodeName: 'node-1' } });
  t.deepEqual(cluster.filter(aPod({ requests: { cpu: '1' } })).names, ['node-1']);
});
