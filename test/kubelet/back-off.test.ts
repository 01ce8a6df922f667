import test from 'ava';
import { createKeyedBackOff } from '../../kubelet/back-off.ts';
import { goDuration } from '../../kubelet/go-duration.ts';

test('the back-off doubles from 10 s to 5 min and is forgotten after 10 min', (t) => {
  let now = 0;
  const clock = { now: () => now, after: () => () => {} };
  const backOff = createKeyedBackOff({ clock, forgetMs: 600_000 });
  t.false(backOff.isInBackOffSince('a', 0));
  const seen: number[] = [];
  for (let restart = 0; restart < 7; restart += 1) {
    backOff.next('a', now);
    seen.push(backOff.get('a') / 1000);
    now += backOff.get('a');
  }
  t.deepEqual(seen, [10, 20, 40, 80, 160, 300, 300]);
  t.true(backOff.isInBackOffSince('a', now - 299_000));
  t.false(backOff.isInBackOffSince('a', now - 300_000));
  now += 700_000;
  backOff.next('a', now);
  t.is(backOff.get('a'), 10_000);
  t.is(backOff.endsAtMs('a'), now + 10_000);
  backOff.forget('a');
  t.is(backOff.get('a'), 0);
});

test('durations are written as Go writes them', (t) => {
  t.deepEqual([0, 12, 1500, 10_000, 160_000, 300_000, 3_661_500].map(goDuration), [
    '0s',
    '12ms',
    '1.5s',
    '10s',
    '2m40s',
    '5m0s',
    '1h1m1.5s',
  ]);
});
