import { mock } from 'node:test';
import test from 'ava';
import { systemClock } from '../../client/clock.ts';

const dayMs = 86_400_000;

// In one go, for the timers of everything else stand still meanwhile.
test('a time that is longer than a timer of Node.js goes is waited to its end, unless it is taken back', (t) => {
  const called: string[] = [];
  const seen: string[][] = [];
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    systemClock.after(dayMs, () => called.push('a day'));
    systemClock.after(60 * dayMs, () => called.push('sixty days'));
    const cancel = systemClock.after(61 * dayMs, () => called.push('never'));
    for (const days of [1, 24, 34]) {
      mock.timers.tick(days * dayMs);
      seen.push([...called]);
    }
    mock.timers.tick(dayMs);
    cancel();
    mock.timers.tick(10 * dayMs);
  } finally {
    mock.timers.reset();
  }
  t.deepEqual(seen, [['a day'], ['a day'], ['a day']]);
  t.deepEqual(called, ['a day', 'sixty days']);
});
