import { CompactedError, FutureRevisionError, StoreClosedError } from '../store.ts';
import type {
  KeyValue,
  ListOptions,
  ListResult,
  Store,
  StoreEvent,
  Transaction,
  TransactionResult,
  WatchOptions,
} from '../store.ts';
import { Announcer } from './announcer.ts';
import { compactedRevisionIn, openTables, revisionIn } from './database.ts';
import type { Tables } from './database.ts';
import { listPairs } from './list.ts';
import { watchChanges } from './watch.ts';
import { checkKeys, pair, stateOf } from './write-batch.ts';
import { WriteQueue } from './write-queue.ts';

/** Opens the embedded engine: an LMDB database in `dir`, made when it isn't there. One process at a time writes. */
export function openEmbeddedStore({ dir }: { dir: string }): Store {
  return new EmbeddedStore(openTables(dir));
}

class EmbeddedStore implements Store {
  readonly #tables: Tables;
  readonly #announcer = new Announcer();
  readonly #writes: WriteQueue;
  #closed = false;

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#writes = new WriteQueue({
      tables,
      committed: () => {
        tables.root.resetReadTxn();
        this.#announcer.announce(revisionIn(tables));
      },
    });
  }

  async get(key: string): Promise<KeyValue | undefined> {
    this.#assertOpen();
    return pair(key, stateOf(this.#tables, key));
  }

  async list(options: ListOptions): Promise<ListResult> {
    this.#assertOpen();
    return listPairs(this.#tables, options);
  }

  async txn(transaction: Transaction): Promise<TransactionResult> {
    this.#assertOpen();
    checkKeys(transaction);
    return await this.#writes.add((batch) => batch.apply(transaction));
  }

  watch(options: WatchOptions): AsyncIterable<StoreEvent> {
    this.#assertOpen();
    // Settled now, not when the first event is asked for: what is written in between belongs to the watch.
    const { fromRevision = revisionIn(this.#tables) + 1 } = options;
    return watchChanges(this.#tables, this.#announcer, { ...options, fromRevision });
  }

  async compact(revision: number): Promise<void> {
    this.#assertOpen();
    const tables = this.#tables;
    await this.#writes.add(() => {
      // Asked inside the transaction: of two compactions at once the later must not bring the mark back.
      const newest = revisionIn(tables);
      const compacted = compactedRevisionIn(tables);
      if (revision > newest) throw new FutureRevisionError(newest);
      if (revision <= compacted) throw new CompactedError(compacted);
      tables.counters.putSync('compactedRevision', revision);
      const old = [...tables.changes.getKeys({ end: [revision, Infinity] })];
      for (const key of old) tables.changes.removeSync(key);
    });
  }

  async currentRevision(): Promise<number> {
    this.#assertOpen();
    return revisionIn(this.#tables);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writes.settled();
    this.#announcer.close();
    await this.#tables.root.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreClosedError();
  }
}
