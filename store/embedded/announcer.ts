/** Wakes the watchers when a commit is durable. */
export class Announcer {
  #waiting = new Set<() => void>();
  #revision = 0;
  closed = false;

  /** All up to `revision` is durable. */
  announce(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
    this.#wake();
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  /** Resolves when there is something newer than `seen`, at the close and at the abort. */
  async next(seen: number, signal?: AbortSignal): Promise<void> {
    if (this.closed || this.#revision > seen || signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    const abort = () => resolve();
    signal?.addEventListener('abort', abort, { once: true });
    await promise;
    signal?.removeEventListener('abort', abort);
    this.#waiting.delete(resolve);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
