import { KeyTooLongError } from '../store.ts';
import type { KeyValue, Operation, Transaction, TransactionResult } from '../store.ts';
import { decodeState, encodeChange, encodeState } from './codec.ts';
import type { Change, Stored } from './codec.ts';
import { KEY_LIMIT_BYTES, revisionIn } from './database.ts';
import type { Tables } from './database.ts';

/** The transactions that share one commit. Lives inside a write transaction of the engine. */
export class WriteBatch {
  readonly tables: Tables;
  readonly #firstRevision: number;
  #revision: number;

  constructor(tables: Tables) {
    this.tables = tables;
    this.#firstRevision = revisionIn(tables);
    this.#revision = this.#firstRevision;
  }

  /** Carries out one transaction: all of it at one new revision, or no change at all. */
  apply({ compare = [], success, failure = [] }: Transaction): TransactionResult {
    const succeeded = compare.every(
      ({ key, modRevision }) => (stateOf(this.tables, key)?.modRevision ?? 0) === modRevision,
    );
    const changes: Change[] = [];
    const results = (succeeded ? success : failure).map((operation) => this.#operate(operation, changes));
    if (changes.length > 0) this.#log(changes);
    return { succeeded, revision: this.#revision, results };
  }

  /** To be called last. */
  finish(): void {
    if (this.#revision !== this.#firstRevision) this.tables.counters.putSync('revision', this.#revision);
  }

  #operate(operation: Operation, changes: Change[]): KeyValue | undefined {
    const { key } = operation;
    const before = stateOf(this.tables, key);
    if (operation.type === 'get' || (operation.type === 'delete' && before === undefined))
      return pair(key, before);
    const after =
      operation.type === 'put' ? nextState(before, operation.value, this.#revision + 1) : undefined;
    changes.push({ key, ...(before !== undefined && { before }), ...(after !== undefined && { after }) });
    if (after === undefined) this.tables.keys.removeSync(Buffer.from(key));
    else this.tables.keys.putSync(Buffer.from(key), encodeState(after));
    return pair(key, after ?? before);
  }

  #log(changes: Change[]): void {
    this.#revision++;
    changes.forEach((change, index) =>
      this.tables.changes.putSync([this.#revision, index], encodeChange(change)),
    );
  }
}

function nextState(before: Stored | undefined, value: Buffer, revision: number): Stored {
  return {
    value,
    createRevision: before?.createRevision ?? revision,
    modRevision: revision,
    version: (before?.version ?? 0) + 1,
  };
}

/** Throws KeyTooLongError when the transaction puts a key that lmdb has no room for. */
export function checkKeys({ success, failure = [] }: Transaction): void {
  for (const { type, key } of [...success, ...failure]) {
    const lengthBytes = Buffer.byteLength(key);
    if (type === 'put' && lengthBytes > KEY_LIMIT_BYTES)
      throw new KeyTooLongError({ operation: type, lengthBytes, limitBytes: KEY_LIMIT_BYTES });
  }
}

/** The newest state of a key. Longer keys than fit are not there; lmdb would throw when it is asked for them. */
export function stateOf({ keys }: Tables, key: string): Stored | undefined {
  const keyBytes = Buffer.from(key);
  const bytes = keyBytes.length > KEY_LIMIT_BYTES ? undefined : keys.get(keyBytes);
  return bytes === undefined ? undefined : decodeState(bytes);
}

/** A state as the store's callers see it. */
export function pair(key: string, state: Stored): KeyValue;
export function pair(key: string, state: Stored | undefined): KeyValue | undefined;
export function pair(key: string, state: Stored | undefined): KeyValue | undefined {
  return state === undefined ? undefined : { key, ...state };
}
