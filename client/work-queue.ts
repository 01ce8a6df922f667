import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { defaultRateLimiter } from './rate-limiter.ts';
import type { RateLimiter } from './rate-limiter.ts';

/**
 * A queue of keys with the promises of client-go's work queue: a key waits at most once, no two workers have
 * the same key, and a key added while it is being worked on comes again afterwards.
 *
 *     add ──▶ queued ──▶ get ──▶ processing ──▶ done ──▶ (added meanwhile) queued
 */
export interface WorkQueue {
  add(key: string): void;
  addAfter(key: string, delayMs: number): void;
  /** After the delay that the rate limiter asks for; counts a failure. */
  addRateLimited(key: string): void;
  /** The key went well: its failures are forgotten. */
  forget(key: string): void;
  retriesOf(key: string): number;
  /** The next key, or undefined once the queue is shut down and empty. Every key needs its done(). */
  get(): Promise<string | undefined>;
  done(key: string): void;
  /** Takes nothing more; waiting keys are still handed out, delayed ones are dropped. */
  shutDown(): void;
  readonly length: number;
}

/** An empty queue; the clock and the limiter are parameters for tests. */
export const createWorkQueue = ({
  clock = systemClock,
  rateLimiter = defaultRateLimiter(clock),
}: { clock?: Clock; rateLimiter?: RateLimiter } = {}): WorkQueue => {
  // Sets keep the order of insertion, which makes them queues without duplicates.
  const queued = new Set<string>();
  const processing = new Set<string>();
  const addedMeanwhile = new Set<string>();
  const delayed = createDelays(clock, (key) => add(key));
  const getters: ((key: string | undefined) => void)[] = [];
  let isShutDown = false;

  const add = (key: string) => {
    if (isShutDown) return;
    if (processing.has(key)) {
      addedMeanwhile.add(key);
      return;
    }
    queued.add(key);
    serve();
  };

  const serve = () => {
    while (getters.length > 0 && queued.size > 0) getters.shift()?.(take());
    if (isShutDown && queued.size === 0) for (const getter of getters.splice(0)) getter(undefined);
  };

  const take = (): string | undefined => {
    for (const key of queued) {
      queued.delete(key);
      processing.add(key);
      return key;
    }
    return undefined;
  };

  return {
    add,
    addAfter(key, delayMs) {
      if (isShutDown) return;
      if (delayMs <= 0) add(key);
      else delayed.schedule(key, delayMs);
    },
    addRateLimited(key) {
      this.addAfter(key, rateLimiter.whenMs(key));
    },
    forget: (key) => rateLimiter.forget(key),
    retriesOf: (key) => rateLimiter.retriesOf(key),
    get() {
      if (queued.size > 0 || isShutDown) return Promise.resolve(take());
      return new Promise((resolve) => getters.push(resolve));
    },
    done(key) {
      processing.delete(key);
      if (!addedMeanwhile.delete(key)) return;
      queued.add(key);
      serve();
    },
    shutDown() {
      isShutDown = true;
      delayed.clear();
      serve();
    },
    get length() {
      return queued.size;
    },
  };
};

/** One timer a key; of two delays the earlier one counts. */
const createDelays = (clock: Clock, onDue: (key: string) => void) => {
  const waiting = new Map<string, { dueMs: number; cancel: () => void }>();
  return {
    schedule(key: string, delayMs: number) {
      const dueMs = clock.now() + delayMs;
      const earlier = waiting.get(key);
      if (earlier !== undefined && earlier.dueMs <= dueMs) return;
      earlier?.cancel();
      const cancel = clock.after(delayMs, () => {
        waiting.delete(key);
        onDue(key);
      });
      waiting.set(key, { dueMs, cancel });
    },
    clear() {
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
    },
  };
};

export interface Workers {
  /** Shuts the queue down and resolves when the keys in work are done; what still waits is left undone. */
  stop(): Promise<void>;
}

/**
 * Works the queue off with `concurrency` workers. A `reconcile` that rejects is told to `onError` and its key
 * comes again, rate limited; `retryAfterMs` in the answer brings it again without counting a failure.
 */
export const runWorkers = ({
  queue,
  concurrency = 1,
  reconcile,
  onError,
}: {
  queue: WorkQueue;
  concurrency?: number;
  reconcile: (key: string) => Promise<{ retryAfterMs?: number | undefined } | void>;
  onError?: ((error: unknown, key: string) => void) | undefined;
}): Workers => {
  let stopping = false;
  const work = async () => {
    for (let key = await queue.get(); key !== undefined; key = await queue.get()) {
      if (stopping) return queue.done(key);
      try {
        const outcome = await reconcile(key);
        queue.forget(key);
        if (outcome?.retryAfterMs !== undefined) queue.addAfter(key, outcome.retryAfterMs);
      } catch (error) {
        onError?.(error, key);
        queue.addRateLimited(key);
      } finally {
        queue.done(key);
      }
    }
  };
  const workers = Array.from({ length: concurrency }, work);
  return {
    async stop() {
      stopping = true;
      queue.shutDown();
      await Promise.all(workers);
    },
  };
};
