import test from 'ava';
import { systemClock } from '../../../client/clock.ts';
import { createTerminationOrder } from '../../../kubelet/containers/termination-order.ts';
import { podOf, sidecar } from '../pod-builder.ts';

test('sidecars end after the containers, the last one first', async (t) => {
  const pod = podOf({ initContainers: [sidecar('one'), 'init', sidecar('two')], containers: ['a', 'b'] });
  const order = createTerminationOrder({ pod, running: ['one', 'two', 'a', 'b'], clock: systemClock });
  const ended: string[] = [];
  const end = async (name: string) => {
    await order.waitForTurn(name, 30);
    ended.push(name);
    order.terminated(name);
  };
  const all = Promise.all([end('one'), end('two')]);
  t.is(await order.waitForTurn('a', 30), 0);
  order.terminated('a');
  t.deepEqual(ended, []);
  order.terminated('b');
  await all;
  t.deepEqual(ended, ['two', 'one']);
});

test('nobody waits for what does not run, or longer than the grace period', async (t) => {
  const pod = podOf({ initContainers: [sidecar('one')], containers: ['a'] });
  const idle = createTerminationOrder({ pod, running: ['one'], clock: systemClock });
  t.true((await idle.waitForTurn('one', 30)) < 1);
  let waitedMs = 0;
  const clock = {
    now: () => waitedMs,
    after(delayMs: number, listener: () => void) {
      waitedMs += delayMs;
      queueMicrotask(listener);
      return () => {};
    },
  };
  const busy = createTerminationOrder({ pod, running: ['one', 'a'], clock });
  t.is(await busy.waitForTurn('one', 7), 7);
});

test('nobody waits on whose grace period has become shorter', async (t) => {
  const pod = podOf({ initContainers: [sidecar('one')], containers: ['a'] });
  const order = createTerminationOrder({ pod, running: ['one', 'a'], clock: systemClock });
  const shorter = new AbortController();
  const turn = order.waitForTurn('one', 3600, shorter.signal);
  shorter.abort(new Error('one second'));
  await t.throwsAsync(turn, { message: 'one second' });
  await t.throwsAsync(order.waitForTurn('one', 3600, shorter.signal), { message: 'one second' });
});
