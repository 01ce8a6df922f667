import { WriteBatch } from './write-batch.ts';
import type { Tables } from './database.ts';

/** A write that waits for its turn. */
interface Waiting {
  apply: (batch: WriteBatch) => unknown;
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * Group commit: whatever is asked while a commit is under way becomes the next commit.
 *
 *     add(a)            → commit [a]        ── sync ──┐
 *     add(b), add(c)    → wait                        └→ commit [b, c] ── sync ── ...
 *
 * A promise resolves only when the sync of its commit is done.
 */
export class WriteQueue {
  readonly #tables: Tables;
  readonly #committed: () => void;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;

  /** `committed` is called after each commit, before the promises of its writes resolve. */
  constructor(options: { tables: Tables; committed: () => void }) {
    this.#tables = options.tables;
    this.#committed = options.committed;
  }

  /** Resolves with what `apply` returned inside the transaction. */
  add<T>(apply: (batch: WriteBatch) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#waiting.push({ apply, resolve: (result) => resolve(result as T), reject });
    this.#draining ??= this.#drain();
    return promise;
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    await Promise.resolve(); // so that the writes of one turn of the event loop share the first commit too
    while (this.#waiting.length > 0) {
      const waiting = this.#waiting;
      this.#waiting = [];
      await this.#write(waiting);
    }
    this.#draining = undefined;
  }

  async #write(waiting: Waiting[]): Promise<void> {
    let results: unknown[] = [];
    try {
      await this.#tables.root.transaction(() => {
        const batch = new WriteBatch(this.#tables);
        results = waiting.map(({ apply }) => apply(batch));
        batch.finish();
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    this.#committed();
    waiting.forEach(({ resolve }, index) => resolve(results[index]));
  }
}
