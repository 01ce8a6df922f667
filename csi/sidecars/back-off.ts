import { exponentialRateLimiter } from '../../client/rate-limiter.ts';
import type { RateLimiter } from '../../client/rate-limiter.ts';

export interface RetryOptions {
  /** The first wait; doubles with each failure. Upstream's --retry-interval-start is 1 s; ours is short, our drivers are near. */
  retryStartMs?: number | undefined;
  /** Upstream's --retry-interval-max. */
  retryMaxMs?: number | undefined;
}

/** The wait of a sidecar's keys after failures. */
export const sidecarBackOff = ({
  retryStartMs = 100,
  retryMaxMs = 300_000,
}: RetryOptions = {}): RateLimiter => exponentialRateLimiter({ baseMs: retryStartMs, capMs: retryMaxMs });
