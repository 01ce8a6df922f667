import test from 'ava';
import { pods } from '../../client/resources.ts';
import { podGarbageCollector } from '../../controllers/pod-garbage-collector/pod-garbage-collector.ts';
import { taintEvictionController } from '../../controllers/taint-eviction/taint-eviction.ts';
import { until } from '../environment.ts';
import { aNode, aPod } from '../scheduler/fixtures.ts';
import { createReadyNode } from '../scheduler/ready-node.ts';
import { withoutUid } from '../scheduler/storage-fixtures.ts';
import { startControllerRig } from './controller-rig.ts';

const cases = [
  {
    why: 'its node is no more',
    controller: podGarbageCollector({ quarantineMs: 0, intervalMs: 50 }),
    reason: 'DeletionByPodGC',
  },
  { why: 'of a taint', controller: taintEvictionController, reason: 'DeletionByTaintManager' },
];

for (const { why, controller, reason } of cases)
  test(`a pod that is ended because ${why} tells so, and of which generation it was`, async (t) => {
    const { client, stop } = await startControllerRig([controller]);
    t.teardown(stop);
    if (reason === 'DeletionByTaintManager')
      await createReadyNode(client, aNode({ spec: { taints: [{ key: 'a', effect: 'NoExecute' }] } }));
    const pod = withoutUid(aPod({ nodeName: 'node-1' }));
    // It can be looked at as long as it is held.
    const metadata = { ...pod.metadata, finalizers: ['example.com/keep'] };
    const { metadata: created } = await client.resource(pods).create({ object: { ...pod, metadata } });
    const present = () => client.resource(pods).get({ name: 'web', namespace: 'default' });
    await until('it is ended', async () => (await present()).metadata?.deletionTimestamp !== undefined);
    const { conditions = [] } = (await present()).status ?? {};
    t.is(created?.generation, 1);
    t.like(
      conditions.find(({ type }) => type === 'DisruptionTarget'),
      {
        status: 'True',
        reason,
        observedGeneration: 1,
      },
    );
  });
