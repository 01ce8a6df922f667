import test from 'ava';
import { bucketRateLimiter, exponentialRateLimiter, maxOfRateLimiters } from '../../client/rate-limiter.ts';
import { createWorkQueue, runWorkers } from '../../client/work-queue.ts';
import { createFakeClock } from './fake-clock.ts';
import { until } from '../environment.ts';

test('a key waits at most once', async (t) => {
  const queue = createWorkQueue();
  queue.add('a');
  queue.add('b');
  queue.add('a');
  t.is(queue.length, 2);
  t.is(await queue.get(), 'a');
  t.is(await queue.get(), 'b');
});

test('a key added while it is worked on comes again after done, to one worker only', async (t) => {
  const queue = createWorkQueue();
  queue.add('a');
  t.is(await queue.get(), 'a');
  queue.add('a');
  queue.add('a');
  t.is(queue.length, 0);
  const next = queue.get();
  queue.done('a');
  t.is(await next, 'a');
  queue.done('a');
  t.is(queue.length, 0);
});

test('addAfter waits, and of two delays the earlier counts', async (t) => {
  const clock = createFakeClock();
  const queue = createWorkQueue({ clock });
  queue.addAfter('a', 100);
  queue.addAfter('a', 50);
  queue.addAfter('a', 200);
  clock.advance(49);
  t.is(queue.length, 0);
  clock.advance(1);
  t.is(await queue.get(), 'a');
  queue.done('a');
  clock.advance(1000);
  t.is(queue.length, 0);
  t.is(clock.pendingTimers(), 0);
});

test('shutDown hands out what waits, then undefined', async (t) => {
  const clock = createFakeClock();
  const queue = createWorkQueue({ clock });
  queue.add('a');
  queue.addAfter('b', 10);
  queue.shutDown();
  queue.add('c');
  t.is(await queue.get(), 'a');
  queue.done('a');
  t.is(await queue.get(), undefined);
  t.is(clock.pendingTimers(), 0);
});

test('failures double the delay of their key until it is forgotten', (t) => {
  const limiter = exponentialRateLimiter({ baseMs: 5, capMs: 30 });
  t.deepEqual(
    [1, 2, 3, 4, 5].map(() => limiter.whenMs('a')),
    [5, 10, 20, 30, 30],
  );
  t.is(limiter.whenMs('b'), 5);
  t.is(limiter.retriesOf('a'), 5);
  limiter.forget('a');
  t.is(limiter.whenMs('a'), 5);
});

test('a bucket lets a burst through, then so many a second', (t) => {
  const clock = createFakeClock();
  const limiter = bucketRateLimiter({ perSecond: 10, burst: 2, clock });
  t.deepEqual(
    [1, 2, 3, 4].map(() => limiter.whenMs('a')),
    [0, 0, 100, 200],
  );
  clock.advance(1000);
  t.is(limiter.whenMs('a'), 0);
  const both = maxOfRateLimiters([limiter, exponentialRateLimiter({ baseMs: 7 })]);
  t.is(both.whenMs('b'), 7);
  both.forget('b');
  t.is(both.retriesOf('b'), 0);
});

test('workers try a failed key again and stop when asked', async (t) => {
  const queue = createWorkQueue({ rateLimiter: exponentialRateLimiter({ baseMs: 1 }) });
  const tries: string[] = [];
  const errors: string[] = [];
  const workers = runWorkers({
    queue,
    concurrency: 2,
    async reconcile(key) {
      tries.push(key);
      if (tries.filter((other) => other === key).length < 3) throw new Error(`not yet ${key}`);
    },
    onError: (error, key) => errors.push(`${key}: ${(error as Error).message}`),
  });
  queue.add('a');
  await until('three tries', () => tries.length === 3);
  t.deepEqual(errors, ['a: not yet a', 'a: not yet a']);
  t.is(queue.retriesOf('a'), 0);
  await workers.stop();
  queue.add('b');
  t.is(tries.length, 3);
});

test('retryAfterMs brings a key again without a failure', async (t) => {
  const clock = createFakeClock();
  const queue = createWorkQueue({ clock });
  let runs = 0;
  const workers = runWorkers({
    queue,
    async reconcile() {
      runs += 1;
      return { retryAfterMs: 500 };
    },
  });
  queue.add('a');
  await until('the first run', () => runs === 1 && clock.pendingTimers() === 1);
  t.is(queue.retriesOf('a'), 0);
  clock.advance(500);
  await until('the second run', () => runs === 2);
  await workers.stop();
});
