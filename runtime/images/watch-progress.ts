import { diskUsageOf } from '../../linux/disk-usage.ts';

export interface ProgressOptions {
  /** Where what comes in is written to. */
  directory: string;
  idleMs: number;
}

/** A signal that is aborted when nothing has been added to a directory for some time. Dispose it when no more is to come. */
export function watchProgress({ directory, idleMs }: ProgressOptions): { signal: AbortSignal } & Disposable {
  const stalled = new AbortController();
  let known = '';
  let movedAtMs = performance.now();
  const look = async (): Promise<void> => {
    const { usedBytes, inodes } = await diskUsageOf(directory);
    const now = `${usedBytes} ${inodes}`;
    if (now !== known) movedAtMs = performance.now();
    else if (performance.now() - movedAtMs >= idleMs) stalled.abort();
    known = now;
  };
  // A directory that is gone has nobody who waits for it either.
  const timer = setInterval(() => void look().catch(() => undefined), Math.min(idleMs / 4, 10_000));
  return { signal: stalled.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
