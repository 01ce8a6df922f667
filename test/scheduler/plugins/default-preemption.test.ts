import { setImmediate } from 'node:timers/promises';
import test from 'ava';
import type { EventRecorder } from '../../../client/event-recorder.ts';
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

const high = () => aPod({ name: 'high', priority: 10, requests: { cpu: '1' } });
const withVictim = () =>
  aCluster({ nodes: [aNode()], pods: { 'node-1': [aPod({ requests: { cpu: '2' } })] } });
/** What is told to a pod that would be tried. */
const kept = (cluster: ReturnType<typeof aCluster>, pod: ReturnType<typeof aPod>) =>
  cluster.plugins.find(({ name }) => name === 'DefaultPreemption')?.preEnqueue?.(pod);

test('a pod stays out of the queue while the calls that evict run, and is tried after them', async (t) => {
  const activated: unknown[] = [];
  const cluster = withVictim();
  cluster.handle.activate = ({ metadata }, options) => {
    activated.push([metadata?.name, options, kept(cluster, pod)]);
  };
  const pod = high();
  t.is(kept(cluster, pod), undefined);
  t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, 'node-1');
  t.deepEqual(kept(cluster, pod), {
    code: 'UnschedulableAndUnresolvable',
    reasons: ['waiting for the preemption for this pod to be finished'],
  });
  t.is(kept(cluster, aPod({ name: 'other' })), undefined);
  await until('it is tried again', () => activated.length > 0);
  t.deepEqual(activated, [['high', undefined, undefined]]);
});

test('one that nothing would have had tried waits on for the end of its victims', async (t) => {
  const activated: unknown[] = [];
  const cluster = withVictim();
  cluster.handle.activate = (pod) => void activated.push(pod);
  const told: string[] = [];
  cluster.handle.recorder = {
    event: ({ reason }: { reason: string }) => void told.push(reason),
  } as unknown as EventRecorder;
  const pod = high();
  tryToPreempt(cluster, pod);
  await until('the victim is told to go', () => told.includes('Preempted'));
  await setImmediate();
  t.is(kept(cluster, pod), undefined, 'the eviction is over');
  t.deepEqual(activated, []);
});

test('a pod whose eviction failed waits for its back-off, kept out meanwhile or not', async (t) => {
  for (const isTried of [true, false]) {
    const activated: unknown[] = [];
    const cluster = withVictim();
    cluster.handle.client = {
      resource: () => ({ patch: () => Promise.reject(new Error('the server is away')) }),
    } as unknown as Client;
    const pod = high();
    cluster.handle.activate = (_, options) => void activated.push([options, kept(cluster, pod)]);
    t.is(tryToPreempt(cluster, pod)?.nominatedNodeName, 'node-1');
    if (isTried) t.truthy(kept(cluster, pod));
    await until('the eviction is over', () => activated.length > 0);
    t.deepEqual(activated, [[{ afterError: true }, undefined]]);
  }
});
