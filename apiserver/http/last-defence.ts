import { AsyncLocalStorage } from 'node:async_hooks';
import type { Logger } from 'pino';

/** The request that the present code works for, whichever callback it runs in. */
interface Work {
  path: string;
  log: Logger;
  /** Ends the connection to the client; the answer may be half written. */
  giveUp(): void;
}

const work = new AsyncLocalStorage<Work>();
let users = 0;

/**
 * Runs what answers one request. What it throws in a callback, past its promise, ends this request instead of the process:
 * the last line of defence, for no client may end the control plane. Needs `defend`.
 *
 * Work that other requests depend on, such as the queue of writes, must leave the context of the request that sets it going
 * (AsyncLocalStorage.snapshot): else its failure would end that request alone, and the others would wait for ever.
 */
export const defended = (task: Work, run: () => Promise<void>): void => {
  work.run(task, () => void run());
};

/** Catches what requests throw past their promises; the function that it returns ends that. */
export function defend(): () => void {
  if (users++ === 0) process.on('uncaughtException', onUncaught);
  return () => {
    if (--users === 0) process.off('uncaughtException', onUncaught);
  };
}

/**
 * An error of no request ends the process as it would without us: printed, with exit code 1 and after the `exit` handlers. Thrown
 * here it would be code 7 without them (https://nodejs.org/api/process.html#exit-codes), hence a tick later, when nobody listens.
 */
function onUncaught(error: unknown): void {
  const task = work.getStore();
  if (task === undefined) {
    if (process.listenerCount('uncaughtException') > 1) return;
    process.off('uncaughtException', onUncaught);
    process.nextTick(() => {
      throw error;
    });
    return;
  }
  task.log.error({ err: error, path: task.path }, 'request failed outside of its promise');
  task.giveUp();
}
