import test from 'ava';
import { nowNs } from '../../runtime/clock.ts';

const hourMs = 3_600_000;
const timeOfDay = Date.now;

test.afterEach.always(() => {
  Date.now = timeOfDay;
});

test.serial('the clock never goes back by itself, and keeps to the time of day', (t) => {
  const times = Array.from({ length: 1000 }, nowNs);
  const now = Date.now();
  t.deepEqual(
    times.toSorted((a, b) => a - b),
    times,
  );
  t.true(Math.abs((times.at(-1) ?? 0) / 1e6 - now) < 1000);
});

for (const stepMs of [hourMs, -hourMs]) {
  test.serial(`the clock follows when the time of day is set by ${stepMs / hourMs} h`, (t) => {
    Date.now = () => timeOfDay() + stepMs;
    t.true(Math.abs(nowNs() / 1e6 - Date.now()) < 1000);
    Date.now = timeOfDay;
    t.true(Math.abs(nowNs() / 1e6 - Date.now()) < 1000);
  });
}
