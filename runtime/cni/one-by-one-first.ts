/**
 * Lets `limit` calls run at once, but the first one alone: it makes what all others share (the bridge and its address), and
 * plugins that make it at the same time fail. More calls at once than the machine has processors only wait for each other's locks.
 */
export function oneByOneFirst(limit: number): <Result>(action: () => Promise<Result>) => Promise<Result> {
  const waiting: (() => void)[] = [];
  let running = 0;
  let proven = false;
  const next = () => {
    while (waiting.length > 0 && running < (proven ? limit : 1)) {
      running += 1;
      waiting.shift()?.();
    }
  };
  return async (action) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      next();
    });
    try {
      const result = await action();
      proven = true;
      return result;
    } finally {
      running -= 1;
      next();
    }
  };
}
