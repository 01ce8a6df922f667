import type { Store } from '../../store/store.ts';
import type { Kind } from '../registry/kind.ts';
import type { Feed } from './feed.ts';
import { ObjectStore } from './object-store.ts';
import type { ValueTransformer } from './value-transformer.ts';
import { WatchCache } from './watch-cache.ts';

/** The object stores of all kinds; a view shares the store of the kind that it shows. */
export class Stores {
  readonly #stores = new Map<string, ObjectStore>();

  constructor(options: {
    kinds: Kind[];
    store: Store;
    feed: Feed;
    plain: ValueTransformer;
    encrypted: ValueTransformer;
  }) {
    for (const kind of options.kinds) {
      if (kind.viewOf !== undefined) continue;
      const values = kind.encrypted === true ? options.encrypted : options.plain;
      const { store, feed } = options;
      const objects = new ObjectStore({ kind, store, feed, values, cache: new WatchCache() });
      this.#stores.set(nameOf(kind), objects);
      feed.add({ prefix: objects.prefix, cache: objects.cache, values });
    }
  }

  /** The store of a kind. Throws for a kind that has none (reviews). */
  of(kind: Pick<Kind, 'group' | 'plural' | 'viewOf'>): ObjectStore {
    const store = this.#stores.get(nameOf(kind.viewOf ?? kind));
    if (store === undefined) throw new Error(`no storage for ${nameOf(kind)}`);
    return store;
  }

  /** The store of a resource by name, e.g. `named('', 'pods')`. */
  named(group: string, plural: string): ObjectStore {
    return this.of({ group, plural });
  }
}

const nameOf = ({ group, plural }: { group: string; plural: string }): string => `${group}/${plural}`;
