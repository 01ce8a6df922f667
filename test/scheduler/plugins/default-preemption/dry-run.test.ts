import test from 'ava';
import type { Pod } from '../../../../api/types.ts';
import { leastHarm, selectVictims } from '../../../../scheduler/plugins/default-preemption/dry-run.ts';
import { aCluster, aNode, aPod } from '../../fixtures.ts';

const nowMs = Date.parse('2026-01-01T12:00:00Z');
const startedAt = (pod: Pod, hour: string): Pod => ({
  ...pod,
  status: { startTime: `2026-01-01T${hour}:00:00Z` },
});

const victimsOn = (cluster: ReturnType<typeof aCluster>, pod: Pod): string[] => {
  const [node] = cluster.cache.nodes();
  const result = node === undefined ? [] : selectVictims(pod, node, cluster.handle);
  return 'code' in result ? result.reasons : result.map(({ metadata }) => metadata?.name ?? '');
};

test('room kept for a nominated pod is not counted on', (t) => {
  const cluster = aCluster({
    nodes: [aNode()],
    pods: {
      'node-1': [
        aPod({ name: 'first', requests: { cpu: '1' } }),
        aPod({ name: 'second', requests: { cpu: '1' } }),
      ],
    },
  });
  const pod = aPod({ priority: 10, requests: { cpu: '1' } });
  t.deepEqual(victimsOn(cluster, pod), ['second']);
  // Another pod takes the room that one of them leaves: both must go.
  cluster.cache.nominate(aPod({ priority: 10, requests: { cpu: '1' } }), 'node-1');
  t.deepEqual(victimsOn(cluster, pod), ['first', 'second']);
  cluster.cache.nominate(aPod({ priority: 20, requests: { cpu: '1' } }), 'node-1');
  t.deepEqual(victimsOn(cluster, pod), ['Insufficient cpu']);
});

test('a pod that has not started goes before one that runs', (t) => {
  const cluster = aCluster({
    nodes: [aNode()],
    pods: {
      'node-1': [
        aPod({ name: 'waiting', requests: { cpu: '1' } }),
        startedAt(aPod({ name: 'running', requests: { cpu: '1' } }), '01'),
      ],
    },
  });
  t.deepEqual(victimsOn(cluster, aPod({ priority: 10, requests: { cpu: '1' } })), ['waiting']);
});

test('of the start times only those of the highest priority matter, and none is the latest', (t) => {
  const best = (...victims: Pod[][]) => {
    const cluster = aCluster({ nodes: victims.map((_, index) => aNode({ name: `node-${index}` })) });
    const candidates = cluster.cache.nodes().map((node, index) => ({ node, victims: victims[index] ?? [] }));
    return leastHarm(candidates, nowMs)?.node.name;
  };
  const important = () => aPod({ priority: 5 });
  const unimportant = () => aPod({ priority: 1 });
  t.is(
    best(
      [startedAt(important(), '03'), startedAt(unimportant(), '05')],
      [startedAt(important(), '04'), startedAt(unimportant(), '01')],
    ),
    'node-1',
  );
  t.is(best([startedAt(important(), '03')], [important()]), 'node-1');
});
