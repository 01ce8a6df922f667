import { CloudError } from './errors.ts';

/** A copy in the background. */
export interface CopyTask {
  percent: number;
  /** Resolves when what is copied is at rest, or the task ended before that. */
  begun?: Promise<void>;
  /** Set when it ended badly. */
  failure?: CloudError;
  /** Resolves at its end, good or bad. */
  ended: Promise<void>;
  abort(): void;
}

export interface CopyWork {
  signal: AbortSignal;
  onProgress(copiedBytes: number, dataBytes: number): void;
}

/** Starts a copy. Its end is told by `ended` and `failure`, never by a rejection. */
export function startCopyTask(work: (context: CopyWork) => Promise<void>): CopyTask {
  const aborter = new AbortController();
  const task: CopyTask = { percent: 0, ended: Promise.resolve(), abort: () => aborter.abort() };
  const onProgress = (copied: number, total: number) => {
    task.percent = Math.floor((100 * copied) / Math.max(total, 1));
  };
  task.ended = work({ signal: aborter.signal, onProgress }).catch((error: unknown) => {
    task.failure = asCloudError(error);
  });
  return task;
}

/** An error of the pool's file system in the cloud's words: full, or something that it cannot explain. */
export function asCloudError(error: unknown): CloudError {
  if (error instanceof CloudError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const full = /\b(ENOSPC|EDQUOT)\b/.test(message);
  return new CloudError(
    full ? 'POOL_FULL' : 'INTERNAL',
    full ? `the pool has no space left: ${message}` : message,
    {
      cause: error,
    },
  );
}
