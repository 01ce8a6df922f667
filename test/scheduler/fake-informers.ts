import type { InformerFactory } from '../../client/informer-factory.ts';
import type { InformerHandler } from '../../client/informer.ts';
import { keyOf } from '../../client/objects.ts';
import type { ApiObject, ResourceId } from '../../client/objects.ts';
import { createIndexedStore } from '../../client/store.ts';
import type { IndexedStore, IndexFunction } from '../../client/store.ts';

export interface FakeInformers extends InformerFactory {
  /** What the informers know of a resource; changes made here are told to nobody. */
  store(resource: string): IndexedStore<ApiObject>;
  /** As if the server had told of an object that is new or changed. */
  set(resource: string, object: ApiObject): void;
  forget(resource: string, object: ApiObject): void;
}

/** Informers without a server, that begin with these objects (by resource, such as `persistentvolumeclaims`). */
export const fakeInformers = (objects: Record<string, ApiObject[]> = {}): FakeInformers => {
  const stores = new Map<string, IndexedStore<ApiObject>>();
  const handlers = new Map<string, InformerHandler<ApiObject>[]>();
  const store = (resource: string): IndexedStore<ApiObject> => {
    const known = stores.get(resource);
    if (known !== undefined) return known;
    const created = createIndexedStore();
    for (const object of objects[resource] ?? []) created.set(object);
    stores.set(resource, created);
    return created;
  };
  const handlersOf = (resource: string) => {
    const known = handlers.get(resource) ?? [];
    handlers.set(resource, known);
    return known;
  };
  const fake: Pick<FakeInformers, 'store' | 'set' | 'forget'> & { informer: unknown } = {
    store,
    set(resource, object) {
      const previous = store(resource).getByKey(keyOf(object));
      store(resource).set(object);
      for (const handler of handlersOf(resource)) {
        if (previous === undefined) handler.add?.(object, { isInInitialList: false });
        else handler.update?.(object, previous);
      }
    },
    forget(resource, object) {
      store(resource).remove(keyOf(object));
      for (const handler of handlersOf(resource)) handler.delete?.(object, { finalStateUnknown: false });
    },
    informer(
      { resource }: ResourceId,
      { indexers = {} }: { indexers?: Record<string, IndexFunction<ApiObject>> } = {},
    ) {
      store(resource).addIndexers(indexers);
      return {
        lister: store(resource),
        addHandler(handler: InformerHandler<ApiObject>) {
          const list = handlersOf(resource);
          list.push(handler);
          return () => list.splice(list.indexOf(handler), 1);
        },
      };
    },
  };
  // Only what plugins use of a factory.
  return fake as unknown as FakeInformers;
};
