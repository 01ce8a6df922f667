import type { Store } from '../../store/store.ts';
import type { Kind } from '../registry/kind.ts';
import type { Feed } from './feed.ts';
import { ObjectStore } from './object-store.ts';
import type { ValueTransformer } from './value-transformer.ts';
import { WatchCache } from './watch-cache.ts';

interface StoresOptions {
  kinds: Kind[];
  store: Store;
  feed: Feed;
  plain: ValueTransformer;
  encrypted: ValueTransformer;
}

/** The object stores of all kinds; a view shares the store of the kind that it shows. */
export class Stores {
  readonly #stores = new Map<string, ObjectStore>();

  readonly #options: StoresOptions;

  constructor(options: StoresOptions) {
    this.#options = options;
    for (const kind of options.kinds) {
      if (kind.viewOf !== undefined) continue;
      const objects = this.#make(kind);
      this.#stores.set(nameOf(kind), objects);
      options.feed.add(objects);
    }
  }

  /** Adds the store of a kind while the server runs; resolves when its cache holds what is stored. */
  async add(kind: Kind): Promise<ObjectStore> {
    const objects = this.#make(kind);
    await this.#options.feed.addLive(objects);
    this.#stores.set(nameOf(kind), objects);
    return objects;
  }

  /** Forgets the store of a kind that is no longer served. */
  remove(kind: Pick<Kind, 'group' | 'plural'>): void {
    const objects = this.#stores.get(nameOf(kind));
    if (objects === undefined) return;
    this.#options.feed.remove(objects.cache);
    this.#stores.delete(nameOf(kind));
  }

  #make(kind: Kind): ObjectStore {
    const { store, feed, plain, encrypted } = this.#options;
    const values = kind.encrypted === true ? encrypted : plain;
    return new ObjectStore({ kind, store, feed, values, cache: new WatchCache() });
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
