import { keyOf } from '../../client/objects.ts';
import type { ApiObject } from '../../client/objects.ts';
import { createIndexedStore } from '../../client/store.ts';
import type { IndexFunction, Lister } from '../../client/store.ts';

/**
 * The newest known state of each object: what the informer told or what the server answered to a write of our
 * own, whichever is newer. Without it the binder would look at what it has just overwritten, and answer each of
 * the four writes of a binding by a conflicting fifth.
 */
export interface NewestObjects<T extends ApiObject> extends Lister<T> {
  /** From the informer. False: something newer is known, so there is nothing to do. */
  observe(object: T): boolean;
  /** The server's answer to a write. Nothing is remembered of an object that has been deleted meanwhile. */
  remember(object: T): T;
  /** From the informer: it is gone. */
  forget(object: T): void;
}

/** An empty store with these indexes. */
export const createNewestObjects = <T extends ApiObject>(
  indexers: Record<string, IndexFunction<T>> = {},
): NewestObjects<T> => {
  const store = createIndexedStore<T>(indexers);
  const isStale = (object: T): boolean => {
    const known = store.getByKey(keyOf(object));
    return known?.metadata?.uid === object.metadata?.uid && versionOf(known) > versionOf(object);
  };
  return {
    ...store,
    get size() {
      return store.size;
    },
    observe(object) {
      if (isStale(object)) return false;
      store.set(object);
      return true;
    },
    remember(object) {
      const known = store.getByKey(keyOf(object));
      if (known?.metadata?.uid === object.metadata?.uid && !isStale(object)) store.set(object);
      return object;
    },
    forget(object) {
      const known = store.getByKey(keyOf(object));
      if (known?.metadata?.uid === object.metadata?.uid) store.remove(keyOf(object));
    },
  };
};

/** Versions of one resource are numbers that grow (upstream's volume controller relies on it too). */
const versionOf = (object: ApiObject | undefined): number => Number(object?.metadata?.resourceVersion ?? 0);
