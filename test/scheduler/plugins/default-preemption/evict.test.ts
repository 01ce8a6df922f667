import test from 'ava';
import type { Pod } from '../../../../api/types.ts';
import type { Client } from '../../../../client/rest.ts';
import { evict } from '../../../../scheduler/plugins/default-preemption/evict.ts';
import { aCluster, aNode, aPod } from '../../fixtures.ts';

const start = ({ failing = '' } = {}) => {
  const cluster = aCluster({ nodes: [aNode()] });
  const calls: string[] = [];
  const errors: unknown[] = [];
  const call = async (verb: string, name: string) => {
    calls.push(`${verb} ${name}`);
    if ([name, `${verb} ${name}`].includes(failing)) throw new Error('the server is away');
  };
  const resource = {
    patch: ({ name, patch }: { name: string; patch: { status: { nominatedNodeName?: null } } }) =>
      call(patch.status.nominatedNodeName === null ? 'clear' : 'mark', name),
    delete: ({ name }: { name: string }) => call('delete', name),
  };
  const [node] = cluster.cache.nodes();
  if (node === undefined) throw new Error('no node');
  const handle = {
    ...cluster.handle,
    client: { resource: () => resource } as unknown as Client,
    onError: (error: unknown) => void errors.push(error),
  };
  const run = (pod: Pod, victims: Pod[]) => evict(pod, { node, victims }, handle);
  return { cluster, calls, errors, run };
};

const nominated = (pod: Pod): Pod => ({ ...pod, status: { nominatedNodeName: 'node-1' } });

test('less important pods nominated for the node are told to look elsewhere', async (t) => {
  const { cluster, calls, run } = start();
  cluster.cache.nominate(nominated(aPod({ name: 'outbid', priority: 5 })), 'node-1');
  cluster.cache.nominate(nominated(aPod({ name: 'equal', priority: 10 })), 'node-1');
  cluster.cache.nominate(nominated(aPod({ name: 'elsewhere', priority: 5 })), 'node-2');
  t.true(await run(aPod({ name: 'high', priority: 10 }), [aPod({ name: 'victim' })]));
  t.deepEqual(calls, ['clear outbid', 'mark victim', 'delete victim']);
});

test('a victim that could not be evicted keeps no other one', async (t) => {
  const { errors, calls, run } = start({ failing: 'first' });
  const victims = [aPod({ name: 'first' }), aPod({ name: 'second' })];
  t.false(await run(aPod({ name: 'high', priority: 10 }), victims));
  t.deepEqual(calls, ['mark first', 'mark second', 'delete second']);
  t.is((errors[0] as Error).message, 'making room for pod default/high on node node-1');
});

test('a victim whose deletion failed is not marked again', async (t) => {
  const { calls, run } = start({ failing: 'delete victim' });
  const high = aPod({ name: 'high', priority: 10 });
  const victim = aPod({ name: 'victim' });
  t.false(await run(high, [victim]));
  t.deepEqual(calls, ['mark victim', 'delete victim']);
  const lastTransitionTime = '2026-01-01T00:00:00Z';
  const reason = 'PreemptionByScheduler';
  const message = 'default-scheduler: preempting to accommodate a higher priority pod';
  const condition = { type: 'DisruptionTarget', status: 'True', reason, message, lastTransitionTime };
  await run(high, [{ ...victim, status: { conditions: [condition] } }]);
  t.deepEqual(calls, ['mark victim', 'delete victim', 'delete victim']);
});
