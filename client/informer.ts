import type { BackOff } from './back-off.ts';
import { raceAbort } from './clock.ts';
import type { Clock } from './clock.ts';
import { keyOf } from './objects.ts';
import type { ApiObject, ResourceId } from './objects.ts';
import { runReflector } from './reflector.ts';
import type { Client } from './rest.ts';
import { createIndexedStore } from './store.ts';
import type { IndexFunction, Lister } from './store.ts';

/** Called synchronously, in the order of the server's events; the lister already shows the new state. */
export interface InformerHandler<T> {
  /** `isInInitialList`: it was there when the informer (or this handler) began. */
  add?(object: T, details: { isInInitialList: boolean }): void;
  /** Both are the same object: another one of the same name is a delete and an add. */
  update?(object: T, previous: T): void;
  /**
   * `finalStateUnknown`: the deletion itself was missed while the watch was down, and `object` is the last
   * state that was seen (client-go's DeletedFinalStateUnknown).
   */
  delete?(object: T, details: { finalStateUnknown: boolean }): void;
}

export interface InformerOptions<T extends ApiObject> {
  client: Client;
  resource: ResourceId<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  indexers?: Record<string, IndexFunction<T>> | undefined;
  /** Applied to each object before it is kept, to drop what nobody reads. */
  transform?: ((object: T) => T) | undefined;
  clock?: Clock | undefined;
  backOff?: BackOff | undefined;
  /** Told each failed list or watch (it is tried again) and each error thrown by a handler. */
  onError?: ((error: unknown) => void) | undefined;
}

export interface Informer<T extends ApiObject> {
  readonly lister: Lister<T>;
  /** More indexes for the lister, at any time; a name that is known already stays as it is. */
  addIndexers(indexers: Record<string, IndexFunction<T>>): void;
  /** Late handlers first get an add for each object that is there. The answer takes the handler away. */
  addHandler(handler: InformerHandler<T>): () => void;
  /** The first list is in the lister, and every handler has had it. */
  hasSynced(): boolean;
  /** Resolves when hasSynced; rejects with the signal's reason, or when the informer is stopped before. */
  waitForSync(signal?: AbortSignal): Promise<void>;
  /** Begins, once; later calls do nothing. */
  start(): void;
  /** Ends the watch; resolves when nothing more will be told. */
  stop(): Promise<void>;
}

/** A local mirror of a resource, kept by list and watch, that tells its handlers of each change. */
export const createInformer = <T extends ApiObject>(options: InformerOptions<T>): Informer<T> => {
  const store = createIndexedStore<T>(options.indexers);
  const handlers = new Set<InformerHandler<T>>();
  const stopping = new AbortController();
  const sync = Promise.withResolvers<void>();
  // Whoever doesn't wait for the sync needs no unhandled rejection at stop.
  sync.promise.catch(() => undefined);
  let synced = false;
  let running: Promise<void> | undefined;

  const tell = (call: (handler: InformerHandler<T>) => void) => {
    for (const handler of handlers) {
      try {
        call(handler);
      } catch (error) {
        options.onError?.(error);
      }
    }
  };

  const set = (received: T) => {
    const object = options.transform === undefined ? received : options.transform(received);
    const previous = store.getByKey(keyOf(object));
    store.set(object);
    if (previous === undefined) tell((handler) => handler.add?.(object, { isInInitialList: !synced }));
    else tell((handler) => handler.update?.(object, previous));
  };

  const remove = (object: T, finalStateUnknown: boolean) => {
    const key = keyOf(object);
    if (store.getByKey(key) === undefined) return;
    store.remove(key);
    tell((handler) => handler.delete?.(object, { finalStateUnknown }));
  };

  const replace = (objects: T[]) => {
    const listed = new Map(objects.map((object) => [keyOf(object), object]));
    for (const object of store.list()) {
      const present = listed.get(keyOf(object));
      // One that was deleted and made anew under its name is another one.
      if (present === undefined || present.metadata?.uid !== object.metadata?.uid) remove(object, true);
    }
    for (const object of objects) if (!isSameVersion(store.getByKey(keyOf(object)), object)) set(object);
    synced = true;
    sync.resolve();
  };

  return {
    lister: store,
    addIndexers: (indexers) => store.addIndexers(indexers),
    addHandler(handler) {
      const late = store.list();
      handlers.add(handler);
      for (const object of late) handler.add?.(object, { isInInitialList: true });
      return () => handlers.delete(handler);
    },
    hasSynced: () => synced,
    waitForSync: (signal) => (signal === undefined ? sync.promise : raceAbort(sync.promise, signal)),
    start() {
      running ??= runReflector({
        ...options,
        client: options.client.resource(options.resource),
        onConnect: (listener) => options.client.onConnect?.(listener) ?? (() => undefined),
        sink: { replace, set, remove: (object) => remove(object, false) },
        signal: stopping.signal,
      });
    },
    async stop() {
      stopping.abort();
      sync.reject(new Error(`the informer of ${options.resource.resource} is stopped`));
      await running;
    },
  };
};

const isSameVersion = (kept: ApiObject | undefined, listed: ApiObject): boolean =>
  kept?.metadata?.resourceVersion !== undefined &&
  kept.metadata.uid === listed.metadata?.uid &&
  kept.metadata.resourceVersion === listed.metadata?.resourceVersion;
