import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';

/** Says how long an item must wait before its next try (client-go's TypedRateLimiter). */
export interface RateLimiter {
  /** Milliseconds; counts one more failure of the item. */
  whenMs(item: string): number;
  forget(item: string): void;
  retriesOf(item: string): number;
}

/** `baseMs` × 2^failures for each item by itself, up to `capMs`. */
export const exponentialRateLimiter = ({
  baseMs = 5,
  capMs = 1_000_000,
}: { baseMs?: number; capMs?: number } = {}): RateLimiter => {
  const failures = new Map<string, number>();
  return {
    whenMs(item) {
      const count = failures.get(item) ?? 0;
      failures.set(item, count + 1);
      return Math.min(baseMs * 2 ** count, capMs);
    },
    forget: (item) => void failures.delete(item),
    retriesOf: (item) => failures.get(item) ?? 0,
  };
};

/** A token bucket over all items together: `burst` at once, then `perSecond`. */
export const bucketRateLimiter = ({
  perSecond = 10,
  burst = 100,
  clock = systemClock,
}: { perSecond?: number; burst?: number; clock?: Clock } = {}): RateLimiter => {
  let tokens = burst;
  let refilledAt = clock.now();
  return {
    whenMs() {
      const now = clock.now();
      tokens = Math.min(burst, tokens + ((now - refilledAt) / 1000) * perSecond) - 1;
      refilledAt = now;
      // Tokens may be owed: who comes later waits longer.
      return tokens >= 0 ? 0 : (-tokens / perSecond) * 1000;
    },
    forget: () => undefined,
    retriesOf: () => 0,
  };
};

/** The longest delay of several limiters. */
export const maxOfRateLimiters = (limiters: readonly RateLimiter[]): RateLimiter => ({
  whenMs: (item) => Math.max(...limiters.map((limiter) => limiter.whenMs(item))),
  forget: (item) => limiters.forEach((limiter) => limiter.forget(item)),
  retriesOf: (item) => Math.max(...limiters.map((limiter) => limiter.retriesOf(item))),
});

/** client-go's default: 5 ms to 1000 s an item, and 10 a second with a burst of 100 over all. */
export const defaultRateLimiter = (clock: Clock = systemClock): RateLimiter =>
  maxOfRateLimiters([exponentialRateLimiter(), bucketRateLimiter({ clock })]);
