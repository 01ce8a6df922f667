/** Lets a given number of tasks run at the same time; the others wait in line. */
export interface Slots {
  run<T>(task: () => Promise<T>): Promise<T>;
}

export function createSlots(count: number): Slots {
  let free = count;
  const line: (() => void)[] = [];
  return {
    async run(task) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => line.push(resolve));
      try {
        return await task();
      } finally {
        // A slot that is handed on is never free in between, so that nobody overtakes the line.
        const next = line.shift();
        if (next) next();
        else free += 1;
      }
    },
  };
}
