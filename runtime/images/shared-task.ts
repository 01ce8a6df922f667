/** Work that several wait for, each as long as it wants to. */
export interface SharedTask<Result> {
  /** Rejects with what `leaving` gives when the signal is aborted before the work is done; the others wait on. */
  wait(signal?: AbortSignal): Promise<Result>;
}

export interface SharedTaskOptions<Result> {
  /** Begun at once. Its signal is aborted when the last who waited has gone. */
  work: (signal: AbortSignal) => Promise<Result>;
  leaving: () => Error;
  /** Called once, when the work is done or nobody waits for it any more: who comes now is to begin anew. */
  onOver: () => void;
}

export function shareTask<Result>({ work, leaving, onOver }: SharedTaskOptions<Result>): SharedTask<Result> {
  const abandoned = new AbortController();
  const result = work(abandoned.signal);
  let waiting = 0;
  return {
    async wait(signal) {
      const { promise: left, reject } = Promise.withResolvers<never>();
      const leave = (): void => reject(leaving());
      signal?.addEventListener('abort', leave, { once: true });
      if (signal?.aborted === true) leave();
      waiting += 1;
      try {
        return await Promise.race([result, left]);
      } finally {
        signal?.removeEventListener('abort', leave);
        waiting -= 1;
        if (waiting === 0) {
          onOver();
          abandoned.abort();
        }
      }
    },
  };
}
