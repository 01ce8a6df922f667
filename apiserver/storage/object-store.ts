import { isDeepStrictEqual } from 'node:util';
import type { Store } from '../../store/store.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { resourceName } from '../registry/kind.ts';
import { conflictError, existsError, notFoundError } from '../http/errors.ts';
import type { Feed } from './feed.ts';
import { decode, entryOf, ROOT } from './feed.ts';
import type { ValueTransformer } from './value-transformer.ts';
import type { CacheEntry, WatchCache } from './watch-cache.ts';

const LOST_RACES_LIMIT = 100;

/** An object's place; `namespace` is '' for cluster-scoped kinds. */
export interface ObjectPlace {
  namespace: string;
  name: string;
}

/** What `mutate` decides: the object to write, or that the key goes away. */
export type Mutation = { write: ApiObject } | { remove: true } | { keep: true };

/** Objects of one resource: reads from the cache, compare-and-swap writes to the store. */
export class ObjectStore {
  readonly kind: Kind;
  readonly cache: WatchCache;
  readonly feed: Feed;
  readonly values: ValueTransformer;
  readonly prefix: string;
  readonly #store: Store;

  constructor(options: {
    kind: Kind;
    store: Store;
    cache: WatchCache;
    feed: Feed;
    values: ValueTransformer;
  }) {
    this.kind = options.kind;
    this.cache = options.cache;
    this.feed = options.feed;
    this.values = options.values;
    this.prefix = storePrefix(options.kind);
    this.#store = options.store;
  }

  keyOf({ namespace, name }: ObjectPlace): string {
    return `${this.prefix}${namespace === '' ? '' : `${namespace}/`}${name}`;
  }

  /** The newest state of an object, or undefined. */
  async find(place: ObjectPlace): Promise<CacheEntry | undefined> {
    await this.feed.fresh();
    return this.cache.get(this.keyOf(place));
  }

  /** What the cache holds now, perhaps some milliseconds old. */
  peek(place: ObjectPlace): ApiObject | undefined {
    return this.cache.get(this.keyOf(place))?.object;
  }

  /** Objects as of an older `revision`, straight from the store. Throws the store's compacted error. */
  async listAt(options: { prefix: string; from: string; limit: number; revision: number }) {
    const page = await this.#store.list(options);
    return { ...page, entries: page.items.map((item) => entryOf(item, this.values)) };
  }

  /** How many objects there were as of an older `revision`; none of them is read. Throws the store's compacted error. */
  async countAt(options: { prefix: string; from: string; revision: number }): Promise<number> {
    return (await this.#store.list(options)).items.length;
  }

  /** Writes a new object. Throws 409 AlreadyExists. Resolves when the write is durable. */
  async create(object: ApiObject): Promise<ApiObject> {
    const key = this.keyOf(placeOf(object));
    const done = await this.#swap(key, 0, object);
    if (done === undefined)
      throw existsError(this.kind, object.metadata.name ?? '', (await this.#read(key))?.object);
    return done;
  }

  /**
   * Reads, lets `mutate` decide and writes, again and again until no other writer came between.
   * `mutate` gets its own copy (undefined when there is no such object) and may throw to refuse.
   */
  async update(
    place: ObjectPlace,
    mutate: (current: ApiObject | undefined) => Promise<Mutation>,
  ): Promise<ApiObject> {
    const key = this.keyOf(place);
    let current = this.cache.get(key);
    let cached = current !== undefined;
    if (current === undefined) current = await this.#read(key);
    for (let race = 0; race < LOST_RACES_LIMIT; race++) {
      const outcome = await this.#attempt({ key, current, mutate, cached });
      if (outcome !== undefined) return outcome;
      current = await this.#read(key);
      cached = false;
    }
    throw conflictError(this.kind, place.name);
  }

  /** One round of `update`; undefined means: read afresh and try again. */
  async #attempt(options: {
    key: string;
    current: CacheEntry | undefined;
    mutate: (current: ApiObject | undefined) => Promise<Mutation>;
    cached: boolean;
  }): Promise<ApiObject | undefined> {
    const { key, current, mutate, cached } = options;
    let mutation: Mutation;
    try {
      mutation = await mutate(current === undefined ? undefined : structuredClone(current.object));
    } catch (error) {
      // A refusal may rest on a cached state that is no longer true: only one from the store itself counts.
      if (cached && (await this.#read(key))?.revision !== current?.revision) return undefined;
      throw error;
    }
    const revision = current?.revision ?? 0;
    if ('remove' in mutation) return await this.#remove(key, current);
    if ('keep' in mutation || (current !== undefined && isDeepStrictEqual(mutation.write, current.object))) {
      // "Nothing to write" is only true of the newest state: another's write may be acknowledged but not yet cached.
      if (cached && (await this.#read(key))?.revision !== current?.revision) return undefined;
      if (current === undefined) throw notFoundError(this.kind, key.slice(key.lastIndexOf('/') + 1));
      return current.object;
    }
    return await this.#swap(key, revision, mutation.write);
  }

  /** Removes an object whatever its state. Returns its last state, or undefined when another writer was faster. */
  async #remove(key: string, current: CacheEntry | undefined): Promise<ApiObject | undefined> {
    if (current === undefined) throw notFoundError(this.kind, key.slice(key.lastIndexOf('/') + 1));
    const result = await this.#store.txn({
      compare: [{ key, modRevision: current.revision }],
      success: [{ type: 'delete', key }],
    });
    if (!result.succeeded) return undefined;
    const metadata = { ...current.object.metadata, resourceVersion: String(result.revision) };
    return { ...current.object, metadata };
  }

  async #swap(key: string, modRevision: number, object: ApiObject): Promise<ApiObject | undefined> {
    const { resourceVersion: _derived, ...metadata } = object.metadata;
    const value = this.values.toStore(JSON.stringify({ ...object, metadata }), key);
    const result = await this.#store.txn({
      compare: [{ key, modRevision }],
      success: [{ type: 'put', key, value }],
    });
    if (!result.succeeded) return undefined;
    const revision = result.results[0]?.modRevision ?? result.revision;
    return { ...object, metadata: { ...metadata, resourceVersion: String(revision) } };
  }

  async #read(key: string): Promise<CacheEntry | undefined> {
    const item = await this.#store.get(key);
    if (item === undefined) return undefined;
    return { key, object: decode(item, this.values), revision: item.modRevision, encoded: new Map() };
  }
}

/** "/registry/pods/"; groups that upstream keeps apart have their own folder only where plurals would collide. */
const storePrefix = (kind: Kind): string => `${ROOT}${folderOf(kind)}/`;

/** Custom resources have a folder per group, so that none can lie in a built-in kind's. */
const folderOf = (kind: Kind): string =>
  kind.custom === undefined
    ? (STORE_FOLDERS[resourceName(kind)] ?? defaultFolder(kind))
    : `${kind.group}/${kind.plural}`;

/** Folders that upstream's storage names otherwise than by the plural (kube-apiserver storage_factory.go). */
const STORE_FOLDERS: Record<string, string> = {
  nodes: 'minions',
  services: 'services/specs',
  endpoints: 'services/endpoints',
};

const defaultFolder = (kind: Kind): string =>
  kind.group.includes('.') && !kind.group.endsWith('k8s.io') ? `${kind.group}/${kind.plural}` : kind.plural;

/** Where an object lies by its own metadata. */
export const placeOf = ({ metadata }: ApiObject): ObjectPlace => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name ?? '',
});
