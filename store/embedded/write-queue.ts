import { AsyncLocalStorage } from 'node:async_hooks';
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
 * A promise resolves only when the sync of its commit is done. A write that throws fails alone.
 */
export class WriteQueue {
  readonly #tables: Tables;
  readonly #committed: () => void;
  /** The queue is everybody's: were its failure taken for that of the request that wrote first, all later writes would hang. */
  readonly #outside = AsyncLocalStorage.snapshot();
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
    this.#draining ??= this.#outside(() => this.#drain());
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

  /** A write that throws takes the whole attempt back; the others are tried again without it. */
  async #write(waiting: Waiting[]): Promise<void> {
    let remaining = waiting;
    while (remaining.length > 0) {
      const { results, error, culprit } = await this.#attempt(remaining);
      if (results !== undefined) {
        this.#committed();
        remaining.forEach(({ resolve }, index) => resolve(results[index]));
        return;
      }
      for (const write of culprit === undefined ? remaining : [culprit]) write.reject(error);
      remaining = culprit === undefined ? [] : remaining.filter((write) => write !== culprit);
    }
  }

  /**
   * One transaction: all of the writes or none. `culprit` is the one that threw, absent when the commit itself failed. A child
   * transaction, because lmdb commits what an ordinary one has written so far even when its callback throws.
   */
  async #attempt(writes: Waiting[]): Promise<Attempt> {
    let culprit: Waiting | undefined;
    try {
      const results = await this.#tables.root.childTransaction(() => {
        const batch = new WriteBatch(this.#tables);
        const done = writes.map((write) => {
          culprit = write;
          return write.apply(batch);
        });
        culprit = undefined;
        batch.finish();
        return done;
      });
      return { results };
    } catch (error) {
      return { error: await causeOf(error), culprit };
    }
  }
}

type Attempt = { results: unknown[]; error?: never; culprit?: never } | Failure;

interface Failure {
  results?: never;
  error: unknown;
  culprit: Waiting | undefined;
}

/**
 * Why a commit failed. lmdb tells it in a promise on its error; nobody listening, that rejection would end the process, and a
 * disk that is full for a while would take the API server along.
 */
async function causeOf(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  if (commitError === undefined) return error;
  try {
    return await commitError;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new Error(`commit to the store failed, nothing was written: ${why}; is its disk full?`, { cause });
  }
}
