import test from 'ava';
import { createCycleState } from '../../../scheduler/framework/cycle-state.ts';
import { findFeasibleNodes } from '../../../scheduler/framework/run-plugins.ts';
import { aCluster, aNode, aPod } from '../fixtures.ts';

const tryToPreempt = (cluster: ReturnType<typeof aCluster>, pod: ReturnType<typeof aPod>) => {
  const { rejections, absent } = cluster.filter(pod);
  const plugin = cluster.plugins.find(({ name }) => name === 'DefaultPreemption');
  return plugin?.postFilter?.({ pod, state: createCycleState(), rejections, absent });
};

test('no pod of lower priority', (t) => {
  const cluster = aCluster({
    nodes: [aNode(), aNode({ name: 'node-2', spec: { unschedulable: true } })],
    pods: { 'node-1': [aPod({ requests: { cpu: '2' } })] },
  });
  t.deepEqual(tryToPreempt(cluster, aPod({ requests: { cpu: '1' } })), {
    nominatedNodeName: '',
    message:
      'preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, ' +
      '1 Preemption is not helpful for scheduling.',
  });
});

test('asking for more than a node has is not helped', (t) => {
  const cluster = aCluster({ nodes: [aNode()], pods: { 'node-1': [aPod({ requests: { cpu: '1' } })] } });
  t.is(
    tryToPreempt(cluster, aPod({ priority: 10, requests: { cpu: '3' } }))?.message,
    'preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.',
  );
});

test('preemptionPolicy Never', (t) => {
  const cluster = aCluster({ nodes: [aNode()], pods: { 'node-1': [aPod({ requests: { cpu: '2' } })] } });
  t.is(
    tryToPreempt(cluster, aPod({ priority: 10, preemptionPolicy: 'Never', requests: { cpu: '1' } }))?.message,
    'preemption: not eligible due to preemptionPolicy=Never.',
  );
});

test('the node where the least important pod goes is nominated', (t) => {
  const cluster = aCluster({
    nodes: [aNode(), aNode({ name: 'node-2' })],
    pods: {
      'node-1': [aPod({ priority: 5, requests: { cpu: '2' } })],
      'node-2': [
        aPod({ priority: 3, requests: { cpu: '1' } }),
        aPod({ priority: 7, requests: { cpu: '1' } }),
      ],
    },
  });
  const pod = aPod({ priority: 10, requests: { cpu: '1' } });
  t.deepEqual(tryToPreempt(cluster, pod), { nominatedNodeName: 'node-2' });
});

test('room that is made for a pod is not given to a less important one', (t) => {
  const cluster = aCluster({ nodes: [aNode()] });
  const important = aPod({ priority: 10, requests: { cpu: '2' } });
  const names = (pod: ReturnType<typeof aPod>) =>
    findFeasibleNodes(cluster.plugins, {
      pod,
      state: createCycleState(),
      nodes: cluster.cache.nodesFor(pod),
    }).feasible.map(({ name }) => name);
  cluster.cache.nominate(important, 'node-1');
  t.deepEqual(names(aPod({ priority: 5, requests: { cpu: '1' } })), []);
  t.deepEqual(names(aPod({ priority: 20, requests: { cpu: '1' } })), ['node-1']);
  t.deepEqual(names(important), ['node-1']);
  cluster.cache.nominate(important, undefined);
  t.deepEqual(names(aPod({ priority: 5, requests: { cpu: '1' } })), ['node-1']);
});
