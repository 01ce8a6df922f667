import type { KeyValue, Store, StoreEvent } from '../../store/store.ts';
import type { ApiObject } from '../registry/kind.ts';
import type { CacheEntry, WatchCache } from './watch-cache.ts';
import type { ValueTransformer } from './value-transformer.ts';

/** Every key of the API server begins with this, as upstream's etcd prefix. */
export const ROOT = '/registry/';

/** A cache and where its objects lie in the store. */
export interface FedCache {
  prefix: string;
  cache: WatchCache;
  values: ValueTransformer;
}

type StorePut = Parameters<WatchCache['apply']>[0];

/** What the feed needs of a cache once it follows. */
type FedTarget = Omit<FedCache, 'cache'> & { cache: Pick<WatchCache, 'apply'> };

interface Waiter {
  revision: number;
  wake(): void;
}

const PAGE = 1000;

/**
 * Carries the store's changes to the caches: one read of everything at the start, one watch after that.
 * As all caches drink from one stream, one number tells how fresh they all are.
 */
export class Feed {
  readonly #store: Store;
  readonly #starting: FedCache[] = [];
  readonly #caches: FedTarget[] = [];
  readonly #onFailure: (error: unknown) => void;
  readonly #stopped = new AbortController();
  #waiters: Waiter[] = [];
  #revision = 0;

  constructor(options: { store: Store; onFailure: (error: unknown) => void }) {
    this.#store = options.store;
    this.#onFailure = options.onFailure;
  }

  /** Adds a cache; before `start`. */
  add(cache: FedCache): void {
    this.#starting.push(cache);
  }

  /** Adds a cache while the feed runs; resolves when the cache holds all that `revision` tells of. */
  async addLive(cache: FedCache): Promise<void> {
    const missed: StorePut[] = [];
    const catchingUp = { ...cache, cache: { apply: (change: StorePut) => void missed.push(change) } };
    this.#caches.push(catchingUp);
    const revision = this.#revision;
    try {
      cache.cache.load(await this.#read(cache, revision), revision);
      for (const change of missed) if (change.revision > revision) cache.cache.apply(change);
      this.#caches.push(cache);
    } finally {
      this.#drop(catchingUp);
    }
  }

  /** Takes a cache away. */
  remove(cache: WatchCache): void {
    const fed = this.#caches.find((other) => other.cache === cache);
    if (fed !== undefined) this.#drop(fed);
  }

  #drop(fed: FedTarget): void {
    this.#caches.splice(this.#caches.indexOf(fed), 1);
  }

  /** The revision up to which all caches have seen all changes. */
  get revision(): number {
    return this.#revision;
  }

  /** Reads everything, then follows the store until `stop`. */
  async start(): Promise<void> {
    this.#revision = await this.#store.currentRevision();
    for (const fed of this.#starting) fed.cache.load(await this.#read(fed, this.#revision), this.#revision);
    this.#caches.push(...this.#starting.splice(0));
    this.#follow().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#onFailure(error);
    });
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Resolves once the caches hold every write that was acknowledged before this call. */
  async fresh(): Promise<void> {
    await this.until(await this.#store.currentRevision());
  }

  /** Resolves true once the caches have reached `revision`, false after `timeoutMs`. */
  until(revision: number, timeoutMs = 10_000): Promise<boolean> {
    if (this.#revision >= revision) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve(false);
      }, timeoutMs);
      const wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
      const waiter = { revision, wake };
      this.#waiters.push(waiter);
    });
  }

  async #read({ prefix, values }: FedCache, revision: number): Promise<CacheEntry[]> {
    const entries: CacheEntry[] = [];
    let from: string | undefined;
    do {
      const page = await this.#store.list({
        prefix,
        limit: PAGE,
        revision,
        ...(from !== undefined && { from }),
      });
      entries.push(...page.items.map((item) => entryOf(item, values)));
      from = page.more ? `${page.items.at(-1)?.key ?? ''}\0` : undefined;
    } while (from !== undefined);
    return entries;
  }

  async #follow(): Promise<void> {
    const events = this.#store.watch({
      prefix: ROOT,
      fromRevision: this.#revision + 1,
      signal: this.#stopped.signal,
    });
    for await (const event of events) {
      if (event.type !== 'progress') this.#apply(event);
      this.#advance(event.modRevision);
    }
  }

  #apply(event: Exclude<StoreEvent, { type: 'progress' }>): void {
    const fed = this.#caches.find(({ prefix }) => event.key.startsWith(prefix));
    if (fed === undefined) return;
    const object = event.type === 'delete' ? undefined : decode(event, fed.values);
    fed.cache.apply({ key: event.key, revision: event.modRevision, object });
  }

  #advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of ready) waiter.wake();
  }
}

/** The cache entry for a stored value. */
export const entryOf = (item: KeyValue, values: ValueTransformer): CacheEntry => ({
  key: item.key,
  object: decode(item, values),
  revision: item.modRevision,
  encoded: new Map(),
});

/** The object of a stored value, with its resourceVersion (which is not stored but is the key's revision). */
export function decode(
  item: { key: string; value: Buffer; modRevision: number },
  values: ValueTransformer,
): ApiObject {
  const object = JSON.parse(values.fromStore(item.value, item.key)) as ApiObject;
  object.metadata.resourceVersion = String(item.modRevision);
  return object;
}
