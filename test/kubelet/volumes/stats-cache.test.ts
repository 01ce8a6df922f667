import test from 'ava';
import { NoAnswerError } from '../../../kubelet/volumes/file-system-stats.ts';
import { createStatsCache } from '../../../kubelet/volumes/stats-cache.ts';
import type { VolumeStats } from '../../../kubelet/volumes/stats.ts';

const statsWith = (usedBytes: number): VolumeStats => {
  const others = { inodesUsed: 0, capacityBytes: 0, availableBytes: 0, inodes: 0, inodesFree: 0 };
  return { name: 'data', time: '', usedBytes, ...others };
};

const start = () => {
  const timers = new Set<() => void>();
  const world = { nowMs: 0, counts: 0 };
  const clock = {
    now: () => world.nowMs,
    after(_delayMs: number, listener: () => void) {
      timers.add(listener);
      return () => timers.delete(listener);
    },
  };
  const cache = createStatsCache({ clock });
  const count = async () => statsWith((world.counts += 1));
  return { world, timers, cache, count };
};

test('a volume is counted once a minute, by one for all who ask, and at once for who wants it fresh', async (t) => {
  const { world, timers, cache, count } = start();
  const get = async (fresh = false) => (await cache.get('data', { count, fresh }))?.usedBytes;
  t.deepEqual(await Promise.all([get(), get(), get(true)]), [1, 1, 1]);
  world.nowMs = 59_999;
  t.is(await get(), 1);
  t.is(await get(true), 2);
  world.nowMs = 60_000 + 59_999;
  t.is(await get(), 3);
  t.is(timers.size, 0);
});

test('while counting takes too long, or the server doesn’t answer, the last is the answer', async (t) => {
  const { world, timers, cache, count } = start();
  await cache.get('data', { count, fresh: false });
  world.nowMs = 60_000;
  const { promise, resolve } = Promise.withResolvers<VolumeStats>();
  const slow = cache.get('data', { count: () => promise, fresh: false });
  for (const listener of timers) listener();
  t.is((await slow)?.usedBytes, 1);
  resolve(statsWith(7));
  t.is((await cache.get('data', { count, fresh: false }))?.usedBytes, 7);
  world.nowMs = 120_000;
  const noAnswer = () => Promise.reject(new NoAnswerError('gone'));
  t.is((await cache.get('data', { count: noAnswer, fresh: false }))?.usedBytes, 7);
  t.is((await cache.get('data', { count, fresh: false }))?.usedBytes, 7);
});

test('what can’t be counted is asked for again by the next', async (t) => {
  const { cache, count } = start();
  const refuse = () => Promise.reject(new Error('no such directory'));
  await t.throwsAsync(cache.get('data', { count: refuse, fresh: false }), { message: 'no such directory' });
  t.is((await cache.get('data', { count, fresh: false }))?.usedBytes, 1);
});
