import type { Clock } from '../../client/clock.ts';

/** A clock that stands still until the test moves it. */
export const createFakeClock = (startMs = Date.UTC(2026, 0, 1)) => {
  let nowMs = startMs;
  const timers = new Set<{ dueMs: number; listener: () => void }>();
  const clock: Clock = {
    now: () => nowMs,
    after(delayMs, listener) {
      const timer = { dueMs: nowMs + delayMs, listener };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  return {
    ...clock,
    /** Moves the time on, calling what becomes due in its order. */
    advance(durationMs: number) {
      const endMs = nowMs + durationMs;
      for (;;) {
        const due = [...timers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (due === undefined) break;
        timers.delete(due);
        nowMs = due.dueMs;
        due.listener();
      }
      nowMs = endMs;
    },
    pendingTimers: () => timers.size,
  };
};
