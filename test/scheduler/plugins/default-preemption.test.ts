import test from 'ava';
import type { Client } from '../../../client/rest.ts';
import { createCycleState } from '../../../scheduler/framework/cycle-state.ts';
import { until } from '../../environment.ts';
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

test('a pod whose victims are going makes no new ones, unless the node has become useless', (t) => {
  const condition = { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' };
  const victim = aPod({ requests: { cpu: '2' } });
  const going = {
    ...victim,
    metadata: { ...victim.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
    status: { conditions: [condition] },
  };
  const pod = {
    ...aPod({ priority: 10, requests: { cpu: '1' } }),
    status: { nominatedNodeName: 'node-1' },
  };
  const attempt = (spec: { unschedulable?: boolean }) =>
    tryToPreempt(
      aCluster({
        nodes: [aNode({ spec }), aNode({ name: 'node-2' })],
        pods: { 'node-1': [going], 'node-2': [aPod({ requests: { cpu: '2' } })] },
      }),
      pod,
    );
  t.deepEqual(attempt({}), {
    message: 'preemption: not eligible due to a terminating pod on the nominated node.',
  });
  t.deepEqual(attempt({ unschedulable: true }), { nominatedNodeName: 'node-2' });
});

test('a pod makes no other victims while the calls that evict run, and is tried after them', async (t) => {
  const activated: (string | undefined)[] = [];
  const cluster = aCluster({ nodes: [aNode()], pods: { 'node-1': [aPod({ requests: { cpu: '2' } })] } });
  cluster.handle.activate = ({ metadata }) => void activated.push(metadata?.name);
  const pod = aPod({ name: 'high', priority: 10, requests: { cpu: '1' } });
  t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, 'node-1');
  t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, undefined);
  await until('it is tried again', () => activated.length > 0);
  t.deepEqual(activated, ['high']);
  t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, 'node-1');
});

test('a pod that was tried while an eviction failed waits for its back-off all the same', async (t) => {
  const activated: unknown[] = [];
  const cluster = aCluster({ nodes: [aNode()], pods: { 'node-1': [aPod({ requests: { cpu: '2' } })] } });
  cluster.handle.client = {
    resource: () => ({ patch: () => Promise.reject(new Error('the server is away')) }),
  } as unknown as Client;
  cluster.handle.activate = (_, options) => void activated.push(options);
  const pod = aPod({ name: 'high', priority: 10, requests: { cpu: '1' } });
  t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, 'node-1');
  t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, undefined);
  await until('the eviction is over', () => tryToPreempt(cluster, pod)?.nominatedNodeName === 'node-1');
  t.deepEqual(activated, [{ afterError: true }]);
});
