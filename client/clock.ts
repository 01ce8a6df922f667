/** Time as a parameter: everything that waits takes a Clock, so that tests can play time. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /** Calls `listener` once after `delayMs`; the returned function takes the call back. */
  after(delayMs: number, listener: () => void): () => void;
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, listener) {
    let timer: NodeJS.Timeout;
    const arm = (restMs: number) => {
      const stepMs = Math.min(restMs, longestTimerMs);
      timer = setTimeout(() => (restMs > stepMs ? arm(restMs - stepMs) : listener()), stepMs);
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};

/** Above 2^31 - 1 ms (24.8 days) Node's timers overflow and are over at once; a longer time is waited in steps. */
const longestTimerMs = 2 ** 31 - 1;

/** Resolves after `delayMs`, or as soon as `signal` is aborted (it never rejects). */
export const wait = ({
  clock = systemClock,
  delayMs,
  signal,
}: {
  clock?: Clock;
  delayMs: number;
  signal?: AbortSignal | undefined;
}): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const finish = () => {
      cancel();
      signal?.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal?.addEventListener('abort', finish, { once: true });
  });

/** The promise, unless `signal` is aborted before it settles: then its reason as a rejection. */
export const raceAbort = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
};

/** `now` as metav1.Time writes it: RFC 3339 in UTC with whole seconds. */
export const timeOf = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, 19)}Z`;

/** `now` as metav1.MicroTime writes it: RFC 3339 in UTC with six decimals. */
export const microTimeOf = (epochMs: number): string => `${new Date(epochMs).toISOString().slice(0, -1)}000Z`;
