import test from 'ava';
import type { Pod } from '../../api/types.ts';
import { createSchedulerCache } from '../../scheduler/cache.ts';
import { followCluster } from '../../scheduler/cluster-events.ts';
import type { Plugin } from '../../scheduler/framework/plugin.ts';
import { createSchedulingQueue } from '../../scheduler/queue.ts';
import { fakeInformers } from './fake-informers.ts';
import { aNode, aPod } from './fixtures.ts';

const fit: Plugin = { name: 'Fit', hints: [{ resource: 'AssignedPod', actions: ['Delete'] }] };
const rejected = { rejectedBy: new Set(['Fit']), hadError: false };

const start = () => {
  const informers = fakeInformers();
  const cache = createSchedulerCache();
  const queue = createSchedulingQueue({ plugins: () => [fit], onReady: () => undefined });
  const stop = followCluster({
    informers,
    cache,
    queue,
    plugins: [fit],
    schedulerName: 'default-scheduler',
  });
  return {
    cache,
    queue,
    set: (pod: Pod) => informers.set('pods', pod),
    forget: (pod: Pod) => informers.forget('pods', pod),
    /** These pods have been tried and wait for an event. */
    reject(...waiting: Pod[]) {
      for (const pod of waiting) informers.set('pods', pod);
      for (let queued = queue.pop(); queued !== undefined; queued = queue.pop()) {
        queue.requeue(queued, rejected);
      }
    },
    popped() {
      const names: string[] = [];
      for (let queued = queue.pop(); queued !== undefined; queued = queue.pop()) {
        names.push(queued.pod.metadata?.name ?? '');
      }
      return names.sort();
    },
    nominated: () => cache.nominatedOn('node-1').map(({ metadata }) => metadata?.name),
    stop() {
      stop();
      queue.stop();
    },
  };
};

const nominate = (pod: Pod, nominatedNodeName = 'node-1'): Pod => ({ ...pod, status: { nominatedNodeName } });
const waiting = () => [
  aPod({ name: 'low' }),
  aPod({ name: 'equal', priority: 10 }),
  aPod({ name: 'high', priority: 20 }),
];
const middle = () => aPod({ name: 'middle', priority: 10 });

test('the end of a nominated pod frees those that had to yield to it', (t) => {
  const scheduler = start();
  t.teardown(() => scheduler.stop());
  const pod = nominate(middle());
  scheduler.reject(pod, ...waiting());
  t.deepEqual(scheduler.nominated(), ['middle']);
  scheduler.forget(pod);
  t.deepEqual(scheduler.nominated(), []);
  t.deepEqual(scheduler.popped(), ['equal', 'low']);
});

test('so does the end of the nomination, which frees the pod itself too', (t) => {
  const scheduler = start();
  t.teardown(() => scheduler.stop());
  const pod = middle();
  scheduler.reject(nominate(pod), ...waiting());
  scheduler.set({ ...pod, status: {} });
  t.deepEqual(scheduler.nominated(), []);
  t.deepEqual(scheduler.popped(), ['equal', 'low', 'middle']);
});

test('a nomination outlives updates that are not about it, and follows those that are', (t) => {
  const scheduler = start();
  t.teardown(() => scheduler.stop());
  const pod = middle();
  scheduler.reject(pod);
  // Known here before the server has it.
  scheduler.cache.nominate(pod, 'node-1');
  scheduler.set({ ...pod, metadata: { ...pod.metadata, labels: { changed: 'yes' } } });
  t.deepEqual(scheduler.cache.nominatedOn('node-1')[0]?.metadata?.labels, { changed: 'yes' });
  scheduler.set(nominate(pod, 'node-2'));
  t.deepEqual(scheduler.nominated(), []);
  t.is(scheduler.cache.nominatedOn('node-2').length, 1);
});

test('a pod that is deleted while it is bound leaves its room at once', (t) => {
  const scheduler = start();
  t.teardown(() => scheduler.stop());
  const pod = middle();
  scheduler.set(pod);
  t.deepEqual(scheduler.popped(), ['middle']);
  scheduler.cache.setNode(aNode());
  scheduler.cache.assume(pod, 'node-1');
  // Its nomination came late; it is there already.
  scheduler.set(nominate(pod));
  t.deepEqual(scheduler.nominated(), []);
  scheduler.reject(...waiting());
  const deletionTimestamp = '2026-01-01T00:00:00Z';
  scheduler.set({ ...nominate(pod), metadata: { ...pod.metadata, deletionTimestamp } });
  t.false(scheduler.cache.isAssumed(pod));
  t.is(scheduler.cache.nodes()[0]?.pods.size, 0);
  t.deepEqual(scheduler.popped(), ['equal', 'high', 'low']);
});
