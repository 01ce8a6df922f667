import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { createEventRecorder } from './event-recorder.ts';
import type { EventRecorder } from './event-recorder.ts';
import { isConflict } from './errors.ts';
import type { InformerFactory } from './informer-factory.ts';
import type { Informer } from './informer.ts';
import { keyOf } from './objects.ts';
import type { ApiObject } from './objects.ts';
import type { RateLimiter } from './rate-limiter.ts';
import type { Client } from './rest.ts';
import { createWorkQueue, runWorkers } from './work-queue.ts';
import type { Workers, WorkQueue } from './work-queue.ts';

/** What every controller is given. */
export interface ControllerContext {
  client: Client;
  /** Shared by all controllers; informers asked for at start are synced before any reconcile runs. */
  informers: InformerFactory;
  clock: Clock;
  log: Logger;
  /** An event recorder for a component, such as `node-controller`. */
  recorder(component: string): EventRecorder;
}

export interface Controller {
  stop(): Promise<void>;
}

/** Makes a controller; it begins to work when the informers have synced. */
export type ControllerFactory = (context: ControllerContext) => Controller;

export interface ReconcilerOptions {
  name: string;
  context: ControllerContext;
  concurrency?: number;
  /** How long a key that failed waits; client-go's default when not given. */
  rateLimiter?: RateLimiter | undefined;
  /**
   * Brings the world to what the object of this key asks for, looking at the present state only. A rejection
   * comes again with back-off, `retryAfterMs` comes again then.
   */
  reconcile: (key: string) => Promise<{ retryAfterMs?: number | undefined } | void>;
}

export interface Reconciler extends Controller {
  queue: WorkQueue;
  /** Queues a key for each change of the resource; `keysOf` says which, the object's own when not given. */
  follow<T extends ApiObject>(informer: Informer<T>, keysOf?: (object: T) => readonly string[]): void;
}

/** A level-triggered controller: informers put keys into a queue, workers reconcile them. */
export const createReconciler = ({
  name,
  context: { informers, clock, log },
  concurrency = 4,
  rateLimiter,
  reconcile,
}: ReconcilerOptions): Reconciler => {
  const queue = createWorkQueue({ clock, ...(rateLimiter === undefined ? {} : { rateLimiter }) });
  const stopping = new AbortController();
  const unfollow: (() => void)[] = [];
  let workers: Workers | undefined;

  const onError = (error: unknown, key: string) => {
    // A stale cache is everyday life: the next try sees the newer object.
    const level = isConflict(error) ? 'debug' : 'warn';
    log[level]({ err: error, controller: name, key }, 'reconcile failed, to be tried again');
  };

  // Informers are made while the controllers are, so their sync is waited for after that.
  const started = (async () => {
    await Promise.resolve();
    await informers.waitForSync(stopping.signal);
    if (stopping.signal.aborted) return;
    workers = runWorkers({ queue, concurrency, reconcile, onError });
  })();
  started.catch((error: unknown) => {
    if (!stopping.signal.aborted) log.error({ err: error, controller: name }, 'could not start');
  });

  return {
    queue,
    follow(informer, keysOf = (object) => [keyOf(object)]) {
      const add = (object: Parameters<typeof keysOf>[0]) => {
        for (const key of keysOf(object)) queue.add(key);
      };
      unfollow.push(informer.addHandler({ add, update: add, delete: add }));
    },
    async stop() {
      stopping.abort(new Error(`${name} is stopped`));
      for (const remove of unfollow) remove();
      queue.shutDown();
      await workers?.stop();
    },
  };
};

/** Event recorders by component, so that controllers of one name share their counts. */
export const createRecorders = ({
  client,
  clock,
  log,
}: Pick<ControllerContext, 'client' | 'clock' | 'log'>) => {
  const recorders = new Map<string, EventRecorder>();
  const onError = (error: unknown) => log.debug({ err: error }, 'event not recorded');
  return {
    recorder(component: string): EventRecorder {
      let recorder = recorders.get(component);
      if (recorder === undefined) {
        recorder = createEventRecorder({ client, clock, source: { component }, onError });
        recorders.set(component, recorder);
      }
      return recorder;
    },
    stop() {
      for (const recorder of recorders.values()) recorder.stop();
    },
  };
};
