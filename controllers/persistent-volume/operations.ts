import type { Logger } from 'pino';

export interface Operations {
  /** Begins `operation` in the background unless one of this name is running. */
  run(name: string, operation: (signal: AbortSignal) => Promise<void>): void;
  /** Aborts what is running; resolves when all have ended. */
  stop(): Promise<void>;
}

/** Work that takes minutes, so that it may not hold up a worker; each name at most once at a time. */
export const createOperations = (log: Logger): Operations => {
  const running = new Map<string, Promise<void>>();
  const stopping = new AbortController();
  return {
    run(name, operation) {
      if (stopping.signal.aborted || running.has(name)) return;
      const ended = operation(stopping.signal)
        .catch((error: unknown) => {
          if (!stopping.signal.aborted) log.warn({ err: error, operation: name }, 'operation failed');
        })
        .finally(() => running.delete(name));
      running.set(name, ended);
    },
    async stop() {
      stopping.abort(new Error('the persistent volume controller is stopped'));
      await Promise.all(running.values());
    },
  };
};
