import type { ApiObject } from '../registry/kind.ts';
import { SortedKeys } from './sorted-keys.ts';

/** One object as the cache holds it. The object is shared by all readers: never change it. */
export interface CacheEntry {
  readonly key: string;
  readonly object: ApiObject;
  readonly revision: number;
  /** Bytes made from this entry, by representation, so that each is encoded once for all readers. */
  readonly encoded: Map<string, string>;
}

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change. For a deletion `entry` is the last state, at the revision of the deletion. */
export interface CacheEvent {
  readonly type: EventType;
  readonly revision: number;
  readonly entry: CacheEntry;
  readonly previous: CacheEntry | undefined;
}

/** Called synchronously, in revision order. */
export type CacheListener = (event: CacheEvent) => void;

/** A listener and what to do when it throws. */
interface Registration {
  listener: CacheListener;
  /** Gets what the listener threw, which then concerns nobody else. Without it the feed gets it: what listened would be wrong from now on. */
  onFailure: ((error: unknown) => void) | undefined;
}

const HISTORY_LIMIT = 10_000;

/**
 * All objects of one resource in memory with the recent changes, fed by the store's watch: lists, gets and watches are served from here
 * (upstream: apiserver storage/cacher).
 */
export class WatchCache {
  readonly #entries = new Map<string, CacheEntry>();
  readonly #keys = new SortedKeys();
  readonly #listeners = new Set<Registration>();
  readonly #listenersOfKey = new Map<string, Set<Registration>>();
  #history: CacheEvent[] = [];
  /** Changes after this revision are all in the history. */
  #completeAfter = 0;

  /** Fills the cache with the state at `revision`, without events. */
  load(entries: Iterable<CacheEntry>, revision: number): void {
    for (const entry of entries) this.#put(entry);
    this.#completeAfter = revision;
  }

  /** Takes over one change of the store and tells the listeners. Throws what a listener threw that has nobody to tell it to. */
  apply(change: { key: string; revision: number; object: ApiObject | undefined }): void {
    const event = this.#eventOf(change);
    if (event === undefined) return;
    if (event.type === 'DELETED') this.#drop(event.entry.key);
    else this.#put(event.entry);
    this.#remember(event);
    for (const registration of this.#listeners) tell(registration, event);
    for (const registration of this.#listenersOfKey.get(change.key) ?? []) tell(registration, event);
  }

  get(key: string): CacheEntry | undefined {
    return this.#entries.get(key);
  }

  /** Entries whose key begins with `prefix` in key order, from the key `from` on. */
  *list(prefix: string, from?: string): Generator<CacheEntry> {
    for (const key of this.#keys.from(prefix, from)) {
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield entry;
    }
  }

  /** How many keys begin with `prefix`, from the key `from` on. */
  count(prefix: string, from?: string): number {
    return this.#keys.count(prefix, from);
  }

  values(): IterableIterator<CacheEntry> {
    return this.#entries.values();
  }

  /** Forgets what was made from the entries, after the way to make it has changed. */
  forgetEncoded(): void {
    for (const { encoded } of this.#entries.values()) encoded.clear();
    for (const { entry } of this.#history) entry.encoded.clear();
  }

  /** The changes after `revision`, or undefined when the history no longer reaches back that far (410). */
  eventsAfter(revision: number): CacheEvent[] | undefined {
    if (revision < this.#completeAfter) return undefined;
    let first = this.#history.length;
    while (first > 0 && (this.#history[first - 1]?.revision ?? 0) > revision) first--;
    return this.#history.slice(first);
  }

  /** The oldest revision that a watch may start from. */
  get oldestRevision(): number {
    return this.#completeAfter;
  }

  /** Listens to every change, or with `key` to those of one object. Returns the function that ends it. */
  listen(
    listener: CacheListener,
    { key, onFailure }: { key?: string | undefined; onFailure?: Registration['onFailure'] } = {},
  ): () => void {
    const set = key === undefined ? this.#listeners : this.#setOfKey(key);
    const registration = { listener, onFailure };
    set.add(registration);
    return () => {
      set.delete(registration);
      if (key !== undefined && set.size === 0) this.#listenersOfKey.delete(key);
    };
  }

  #setOfKey(key: string): Set<Registration> {
    const present = this.#listenersOfKey.get(key);
    if (present !== undefined) return present;
    const set = new Set<Registration>();
    this.#listenersOfKey.set(key, set);
    return set;
  }

  #eventOf(change: { key: string; revision: number; object: ApiObject | undefined }): CacheEvent | undefined {
    const { key, revision } = change;
    const previous = this.#entries.get(key);
    const object = change.object ?? lastState(previous, revision);
    if (object === undefined) return undefined;
    const type = change.object === undefined ? 'DELETED' : previous === undefined ? 'ADDED' : 'MODIFIED';
    return { type, revision, previous, entry: { key, object, revision, encoded: new Map() } };
  }

  #put(entry: CacheEntry): void {
    this.#entries.set(entry.key, entry);
    this.#keys.add(entry.key);
  }

  #drop(key: string): void {
    this.#entries.delete(key);
    this.#keys.remove(key);
  }

  #remember(event: CacheEvent): void {
    this.#history.push(event);
    if (this.#history.length <= HISTORY_LIMIT) return;
    const forgotten = this.#history.slice(0, HISTORY_LIMIT / 2);
    this.#history = this.#history.slice(HISTORY_LIMIT / 2);
    this.#completeAfter = forgotten.at(-1)?.revision ?? this.#completeAfter;
  }
}

function tell({ listener, onFailure }: Registration, event: CacheEvent): void {
  try {
    listener(event);
  } catch (error) {
    if (onFailure === undefined) throw error;
    onFailure(error);
  }
}

function lastState(previous: CacheEntry | undefined, revision: number): ApiObject | undefined {
  if (previous === undefined) return undefined;
  const { object } = previous;
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}
