import type { Clock } from '../client/clock.ts';

/**
 * Back-off per key: `initialMs`, doubled with each failure up to `capMs`, forgotten when the last failure lies more
 * than `forgetMs` before the newest one. The rules of client-go's flowcontrol.Backoff.
 */
export interface KeyedBackOff {
  /** Milliseconds of the key's present back-off, 0 without one. */
  get(key: string): number;
  /** Whether `sinceMs` (when it failed) is less than the back-off ago. */
  isInBackOffSince(key: string, sinceMs: number): boolean;
  /** When the back-off since the last failure is over, in milliseconds since 1970; 0 without one. */
  endsAtMs(key: string): number;
  /** Counts a failure at `atMs`: the next back-off is longer. */
  next(key: string, atMs: number): void;
  /** Forgets every key that begins with `prefix`. */
  forget(prefix: string): void;
}

export function createKeyedBackOff({
  clock,
  initialMs = 10_000,
  capMs = 300_000,
  forgetMs = 2 * capMs,
}: {
  clock: Clock;
  initialMs?: number;
  capMs?: number;
  forgetMs?: number;
}): KeyedBackOff {
  const entries = new Map<string, { backOffMs: number; atMs: number }>();
  const expired = (eventMs: number, atMs: number) => eventMs - atMs > forgetMs;
  return {
    get: (key) => entries.get(key)?.backOffMs ?? 0,
    isInBackOffSince(key, sinceMs) {
      const entry = entries.get(key);
      if (!entry || expired(sinceMs, entry.atMs)) return false;
      return clock.now() - sinceMs < entry.backOffMs;
    },
    endsAtMs(key) {
      const entry = entries.get(key);
      return entry ? entry.atMs + entry.backOffMs : 0;
    },
    next(key, atMs) {
      const entry = entries.get(key);
      const backOffMs =
        entry && !expired(atMs, entry.atMs) ? Math.min(entry.backOffMs * 2, capMs) : initialMs;
      entries.set(key, { backOffMs, atMs: clock.now() });
    },
    forget(prefix) {
      for (const key of entries.keys()) if (key.startsWith(prefix)) entries.delete(key);
    },
  };
}
