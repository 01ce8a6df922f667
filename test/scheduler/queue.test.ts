import test from 'ava';
import { createSchedulingQueue } from '../../scheduler/queue.ts';
import type { QueuedPod } from '../../scheduler/queue.ts';
import type { Plugin } from '../../scheduler/framework/plugin.ts';
import { createFakeClock } from '../client/fake-clock.ts';
import { aPod } from './fixtures.ts';

const fit: Plugin = { name: 'Fit', hints: [{ resource: 'Node', actions: ['Add'] }] };
const gates: Plugin = {
  name: 'Gates',
  preEnqueue: ({ spec }) =>
    (spec?.schedulingGates ?? []).length > 0 ? { code: 'Unschedulable', reasons: ['gated'] } : undefined,
};

const start = (...others: Plugin[]) => {
  const clock = createFakeClock();
  const queue = createSchedulingQueue({
    plugins: () => [gates, fit, ...others],
    onReady: () => undefined,
    clock,
  });
  const nameOf = (queued: QueuedPod | undefined) => queued?.pod.metadata?.name;
  return { clock, queue, popName: () => nameOf(queue.pop()) };
};

const rejected = { rejectedBy: new Set(['Fit']), hadError: false };
const failed = { rejectedBy: new Set<string>(), hadError: true };

test('higher priority first, then the older one', (t) => {
  const { clock, queue, popName } = start();
  queue.add(aPod({ name: 'old' }));
  clock.advance(1);
  queue.add(aPod({ name: 'new' }));
  queue.add(aPod({ name: 'important', priority: 100 }));
  t.deepEqual([popName(), popName(), popName(), popName()], ['important', 'old', 'new', undefined]);
});

test('a rejected pod comes back only after an event that its plugin waits for', (t) => {
  const { queue, popName } = start();
  queue.add(aPod({ name: 'a' }));
  const queued = queue.pop();
  t.truthy(queued);
  if (queued === undefined) return;
  queue.requeue(queued, rejected);
  t.is(popName(), undefined);
  queue.moveOnEvent({ resource: 'Node', action: 'UpdateTaint' });
  t.is(popName(), undefined);
  queue.moveOnEvent({ resource: 'Node', action: 'Add' });
  // An idle scheduler doesn't wait for the end of the back-off.
  t.is(popName(), 'a');
});

test('after an error the back-off is kept: 1 s, 2 s, … up to 10 s', (t) => {
  const { clock, queue } = start();
  queue.add(aPod({ name: 'a' }));
  for (const delayMs of [1000, 2000, 4000, 8000, 10_000, 10_000]) {
    const queued = queue.pop();
    t.truthy(queued);
    if (queued === undefined) return;
    queue.requeue(queued, failed);
    clock.advance(delayMs - 1);
    t.is(queue.pop(), undefined);
    clock.advance(1);
  }
});

test('errors are counted apart from rejections, and forgotten by the next one', (t) => {
  const { clock, queue, popName } = start();
  queue.add(aPod({ name: 'a' }));
  const failOnce = (failure: typeof rejected) => {
    const queued = queue.pop();
    t.truthy(queued);
    if (queued !== undefined) queue.requeue(queued, failure);
    if (!failure.hadError) queue.moveOnEvent({ resource: 'Node', action: 'Add' });
  };
  for (let count = 0; count < 4; count += 1) failOnce(rejected);
  for (const delayMs of [1000, 2000]) {
    failOnce(failed);
    clock.advance(delayMs - 1);
    t.is(popName(), undefined);
    clock.advance(1);
  }
  failOnce(rejected);
  failOnce(failed);
  clock.advance(1000);
  t.is(popName(), 'a');
});

test('a pod that is activated is tried at once, whatever held it', (t) => {
  const { queue, popName } = start();
  const pod = aPod({ name: 'a' });
  queue.add(pod);
  for (const failure of [rejected, failed]) {
    const queued = queue.pop();
    t.truthy(queued);
    if (queued !== undefined) queue.requeue(queued, failure);
    queue.activate(pod);
  }
  t.is(popName(), 'a');
  queue.activate(pod);
  t.is(popName(), undefined);
});

test('a pod that is activated after an error waits for the end of its back-off', (t) => {
  const { clock, queue, popName } = start();
  const pod = aPod({ name: 'a' });
  queue.add(pod);
  const queued = queue.pop();
  if (queued !== undefined) queue.requeue(queued, rejected);
  queue.activate(pod, { afterError: true });
  clock.advance(999);
  t.is(popName(), undefined);
  clock.advance(1);
  t.is(popName(), 'a');
});

test('after five minutes a pod is looked at whatever happened', (t) => {
  const { clock, queue, popName } = start();
  queue.add(aPod({ name: 'a' }));
  const queued = queue.pop();
  if (queued !== undefined) queue.requeue(queued, rejected);
  clock.advance(5 * 60_000 - 1000);
  t.is(popName(), undefined);
  clock.advance(31_000);
  t.is(popName(), 'a');
});

test('a gated pod waits until its gates are gone', (t) => {
  const { queue, popName } = start();
  const pod = aPod({ name: 'a', schedulingGates: [{ name: 'g' }] });
  queue.add(pod);
  t.deepEqual(queue.sizes, { active: 0, backingOff: 0, unschedulable: 0, gated: 1 });
  queue.update({ ...pod, spec: { containers: [], schedulingGates: [] } }, pod);
  t.is(popName(), 'a');
});

test('a pod that was tried before is gated too, until it is activated', (t) => {
  const isClosed = { current: false };
  const closing: Plugin = {
    name: 'Closing',
    preEnqueue: () => (isClosed.current ? { code: 'Unschedulable', reasons: ['closed'] } : undefined),
  };
  const { clock, queue, popName } = start(closing);
  const pod = aPod({ name: 'a' });
  const gatedOne = { active: 0, backingOff: 0, unschedulable: 0, gated: 1 };
  queue.add(pod);
  for (const backOffMs of [0, 5000]) {
    const queued = queue.pop();
    if (queued !== undefined) queue.requeue(queued, rejected);
    isClosed.current = true;
    clock.advance(backOffMs);
    queue.moveOnEvent({ resource: 'Node', action: 'Add' });
    t.is(popName(), undefined);
    queue.update({ ...pod, status: { nominatedNodeName: 'node-1' } }, pod);
    t.deepEqual(queue.sizes, gatedOne);
    queue.activate(pod);
    t.deepEqual(queue.sizes, gatedOne);
    isClosed.current = false;
    queue.activate(pod);
    t.is(queue.sizes.active, 1);
  }
});

test('a change of the spec frees a rejected pod, one of the status does not', (t) => {
  const { queue, popName } = start();
  const pod = aPod({ name: 'a' });
  queue.add(pod);
  const queued = queue.pop();
  if (queued !== undefined) queue.requeue(queued, rejected);
  queue.update({ ...pod, status: { phase: 'Pending' } }, pod);
  t.is(popName(), undefined);
  queue.update({ ...pod, spec: { containers: [], tolerations: [{ operator: 'Exists' }] } }, pod);
  t.is(popName(), 'a');
});

test('a removed pod is gone wherever it waits', (t) => {
  const { queue, popName } = start();
  const pod = aPod({ name: 'a' });
  queue.add(pod);
  queue.remove(pod);
  t.is(popName(), undefined);
});
