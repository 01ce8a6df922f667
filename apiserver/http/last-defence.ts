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

/** An error of no request ends the process as it would without us: thrown here, it is printed and nobody is asked again. */
function onUncaught(error: unknown): void {
  const task = work.getStore();
  if (task === undefined) {
    if (process.listenerCount('uncaughtException') > 1) return;
    throw error;
  }
  task.log.error({ err: error, path: task.path }, 'request failed outside of its promise');
  task.giveUp();
}
