import { entityTooLarge, StatusError } from '../api/status.ts';

/** A key with its value and its place in the history, as etcd's `KeyValue` (api/mvccpb/kv.proto). */
export interface KeyValue {
  key: string;
  value: Buffer;
  /** The revision that made the key. */
  createRevision: number;
  /** The revision of its last change. */
  modRevision: number;
  /** 1 when made, one more with each change. */
  version: number;
}

/** A change, or word that all changes up to `modRevision` have been delivered. */
export type StoreEvent = PutEvent | DeleteEvent | ProgressEvent;

export interface PutEvent extends KeyValue {
  type: 'put';
  /** The value before the change; absent when the key is new. */
  prevValue?: Buffer;
}

export interface DeleteEvent {
  type: 'delete';
  key: string;
  /** The last value: what has been deleted. */
  value: Buffer;
  prevValue: Buffer;
  createRevision: number;
  /** The revision of the deletion. */
  modRevision: number;
}

export interface ProgressEvent {
  type: 'progress';
  modRevision: number;
}

/** True when the key was last changed at `modRevision`; 0 says that there is no such key. */
export interface Compare {
  key: string;
  modRevision: number;
}

export type Operation =
  | { type: 'put'; key: string; value: Buffer }
  | { type: 'delete'; key: string }
  | { type: 'get'; key: string };

/** All compares hold: `success` happens at one new revision. Otherwise `failure` does. */
export interface Transaction {
  compare?: Compare[];
  success: Operation[];
  failure?: Operation[];
}

export interface TransactionResult {
  succeeded: boolean;
  /** The store's revision after the transaction. */
  revision: number;
  /**
   * One for each operation that was carried out. Of a put: the pair as it is now. Of a get: the pair.
   * Of a delete: the pair as it was. Undefined when there is no such key.
   */
  results: (KeyValue | undefined)[];
}

export interface ListOptions {
  prefix: string;
  /** At most so many pairs; `more` tells if there are others. */
  limit?: number;
  /** The first key wanted (inclusive). To go on after a page: its last key and `\0`. */
  from?: string;
  /** The state as of this revision; without it, the newest. */
  revision?: number;
}

export interface ListResult {
  /** Ordered by the bytes of the keys. */
  items: KeyValue[];
  more: boolean;
  /** The store's revision, or the older one that was asked for. */
  revision: number;
}

export interface WatchOptions {
  prefix: string;
  /** The first revision wanted; without it, the next one. */
  fromRevision?: number;
  /** Ends the iteration quietly. */
  signal?: AbortSignal;
}

/**
 * Keys and values with the semantics of etcd v3: each transaction that changes something makes one new revision, all
 * revisions since the last compaction can be read and watched. Revisions begin at 1 (the empty store) and never go back.
 */
export interface Store {
  /** The newest value, or undefined. */
  get(key: string): Promise<KeyValue | undefined>;
  /** Throws CompactedError or FutureRevisionError for an unknown `revision`. */
  list(options: ListOptions): Promise<ListResult>;
  /**
   * Resolves when the change is durable. Concurrent transactions share one sync, but none fails because of another.
   * Throws KeyTooLongError for a put that the backend has no room for; nothing is changed then.
   */
  txn(transaction: Transaction): Promise<TransactionResult>;
  /**
   * All changes under a prefix, in order, none twice and none left out, as soon as they are durable. Events of one
   * transaction come one after another with the same modRevision. A progress event follows what is caught up with.
   * Throws CompactedError when the history from `fromRevision` on is gone.
   */
  watch(options: WatchOptions): AsyncIterable<StoreEvent>;
  /** Forgets the history up to and including `revision`; the state at `revision` stays readable. */
  compact(revision: number): Promise<void>;
  /** The newest durable revision. */
  currentRevision(): Promise<number>;
  /** Waits for the writes under way, ends all watches. Later calls throw StoreClosedError. */
  close(): Promise<void>;
}

/** The history before `compactedRevision` is gone. */
export class CompactedError extends Error {
  readonly compactedRevision: number;

  constructor(compactedRevision: number) {
    super('etcdserver: mvcc: required revision has been compacted');
    this.name = 'CompactedError';
    this.compactedRevision = compactedRevision;
  }
}

/** The revision is newer than the store. */
export class FutureRevisionError extends Error {
  readonly currentRevision: number;

  constructor(currentRevision: number) {
    super('etcdserver: mvcc: required revision is a future revision');
    this.name = 'FutureRevisionError';
    this.currentRevision = currentRevision;
  }
}

/**
 * The backend takes no key of this length. etcd limits only the whole request, so no upstream message says this; it is a
 * StatusError because it is the client's to mend: whoever chose the name hears 413 and the limit, not 500.
 */
export class KeyTooLongError extends StatusError {
  constructor({ operation, lengthBytes, limitBytes }: KeyLength) {
    const why = `${operation} of a key of ${lengthBytes} bytes, the store takes at most ${limitBytes}; choose a shorter name`;
    super(entityTooLarge(why).status);
    this.name = 'KeyTooLongError';
  }
}

interface KeyLength {
  operation: Operation['type'];
  lengthBytes: number;
  limitBytes: number;
}

/** The store has been closed. */
export class StoreClosedError extends Error {
  constructor() {
    super('the store is closed');
    this.name = 'StoreClosedError';
  }
}
