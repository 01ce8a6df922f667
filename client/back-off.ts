/** Exponential back-off with jitter, for a loop that retries one thing. */
export interface BackOff {
  /** Milliseconds to wait before the next try; each call doubles the following one up to the cap. */
  nextMs(): number;
  /** Forgets all failures. */
  reset(): void;
}

/**
 * Delays of `initialMs` × `factor`^n up to `capMs`, each stretched by a random share of up to `jitter`.
 * The defaults are those of client-go's reflector: 800 ms to 30 s, factor 2, jitter 1.
 */
export const createBackOff = ({
  initialMs = 800,
  capMs = 30_000,
  factor = 2,
  jitter = 1,
  random = Math.random,
}: {
  initialMs?: number;
  capMs?: number;
  factor?: number;
  jitter?: number;
  random?: () => number;
} = {}): BackOff => {
  let currentMs = initialMs;
  return {
    nextMs() {
      const baseMs = currentMs;
      currentMs = Math.min(currentMs * factor, capMs);
      return baseMs * (1 + random() * jitter);
    },
    reset() {
      currentMs = initialMs;
    },
  };
};
