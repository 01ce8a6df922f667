import { keyOf } from './objects.ts';
import type { ApiObject } from './objects.ts';

/** Under which values of an index an object is found, such as the name of its node. */
export type IndexFunction<T> = (object: T) => readonly string[];

/** Read access to an informer's objects. They are shared: never change one, make a copy (structuredClone). */
export interface Lister<T extends ApiObject> {
  /** By `namespace/name`, or `name` for objects without namespace. */
  getByKey(key: string): T | undefined;
  get(name: { name: string; namespace?: string | undefined }): T | undefined;
  list(options?: { namespace?: string | undefined }): T[];
  keys(): string[];
  /** The objects with this value in the index of that name; throws Error for an unknown index. */
  byIndex(indexName: string, value: string): T[];
  readonly size: number;
}

export interface IndexedStore<T extends ApiObject> extends Lister<T> {
  set(object: T): void;
  remove(key: string): void;
  /** Adds indexes over what is there and comes; a name that is known already stays as it is. */
  addIndexers(indexers: Record<string, IndexFunction<T>>): void;
}

const namespaceIndex = 'namespace';

/** A map of objects with indexes over them (client-go's ThreadSafeStore). */
export const createIndexedStore = <T extends ApiObject>(
  indexers: Record<string, IndexFunction<T>> = {},
): IndexedStore<T> => {
  const objects = new Map<string, T>();
  const indexes = new Map<string, Index<T>>();

  const addIndexers = (added: Record<string, IndexFunction<T>>) => {
    for (const [name, valuesOf] of Object.entries(added)) {
      if (indexes.has(name)) continue;
      const index = createIndex(valuesOf);
      for (const [key, object] of objects) index.insert(key, object);
      indexes.set(name, index);
    }
  };
  addIndexers({ [namespaceIndex]: ({ metadata }) => [metadata?.namespace ?? ''], ...indexers });

  const byIndex = (indexName: string, value: string): T[] => {
    const index = indexes.get(indexName);
    if (index === undefined) throw new Error(`no index is named ${JSON.stringify(indexName)}`);
    const found: T[] = [];
    for (const key of index.keysWith(value)) {
      const object = objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  };

  const remove = (key: string) => {
    const previous = objects.get(key);
    if (previous === undefined) return;
    for (const index of indexes.values()) index.remove(key, previous);
    objects.delete(key);
  };

  return {
    getByKey: (key) => objects.get(key),
    get: ({ name, namespace }) =>
      objects.get(keyOf({ metadata: { name, ...(namespace === undefined ? {} : { namespace }) } })),
    list: ({ namespace } = {}) =>
      namespace === undefined ? [...objects.values()] : byIndex(namespaceIndex, namespace),
    keys: () => [...objects.keys()],
    byIndex,
    get size() {
      return objects.size;
    },
    set(object) {
      const key = keyOf(object);
      remove(key);
      objects.set(key, object);
      for (const index of indexes.values()) index.insert(key, object);
    },
    remove,
    addIndexers,
  };
};

interface Index<T> {
  insert(key: string, object: T): void;
  remove(key: string, object: T): void;
  keysWith(value: string): Iterable<string>;
}

const createIndex = <T>(valuesOf: IndexFunction<T>): Index<T> => {
  const keysByValue = new Map<string, Set<string>>();
  return {
    insert(key, object) {
      for (const value of valuesOf(object)) {
        const keys = keysByValue.get(value);
        if (keys === undefined) keysByValue.set(value, new Set([key]));
        else keys.add(key);
      }
    },
    remove(key, object) {
      for (const value of valuesOf(object)) {
        const keys = keysByValue.get(value);
        keys?.delete(key);
        if (keys?.size === 0) keysByValue.delete(value);
      }
    },
    keysWith: (value) => keysByValue.get(value) ?? [],
  };
};
