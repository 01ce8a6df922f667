/** Work that can wait until everybody has the new files. */
export interface AfterBurst {
  add(work: () => void): void;
}

/**
 * Runs added work one piece at a time, each after the event loop has had a turn. When one ConfigMap changes under fifty Pods,
 * all fifty switch first, and the old versions are removed afterwards.
 */
export const createAfterBurst = (onError: (error: unknown) => void): AfterBurst => {
  const queue: (() => void)[] = [];
  const runNext = () => {
    const work = queue.shift();
    try {
      work?.();
    } catch (error) {
      onError(error);
    }
    if (queue.length > 0) setImmediate(runNext);
  };
  return {
    add(work) {
      queue.push(work);
      if (queue.length === 1) setImmediate(runNext);
    },
  };
};
