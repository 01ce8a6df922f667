/** Runs work that concerns the same key one after another, in the order asked; other keys do not wait. */
export interface Locks {
  withLock<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
  /** Several keys at once; always taken in the same order, so that two of these cannot wait for each other. */
  withLocks<Result>(keys: string[], work: () => Promise<Result>): Promise<Result>;
}

export function createLocks(): Locks {
  const last = new Map<string, Promise<unknown>>();
  const withLock = async <Result>(key: string, work: () => Promise<Result>): Promise<Result> => {
    const before = last.get(key);
    const mine = (async () => {
      await before;
      return await work();
    })();
    const ended = mine.then(
      () => undefined,
      () => undefined, // the caller has it; the next in line only waits for the end
    );
    last.set(key, ended);
    void ended.then(() => last.get(key) === ended && last.delete(key));
    return await mine;
  };
  const withLocks = async <Result>(keys: string[], work: () => Promise<Result>): Promise<Result> => {
    const [first, ...others] = [...new Set(keys)].toSorted();
    return first === undefined ? await work() : await withLock(first, () => withLocks(others, work));
  };
  return { withLock, withLocks };
}
