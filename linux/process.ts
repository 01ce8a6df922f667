import { constants } from 'node:os';
import { closeSync, readFileSync } from 'node:fs';
import { syscalls } from './libc.ts';
import { onReadable } from './poll.ts';
import { check, hasCode } from './system-error.ts';

/** A process that cannot be confused with a later one of the same number. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks after boot. */
  startTime: number;
}

/** The start time of a living process (zombies included), or undefined when there is none. */
export function startTimeOf(pid: number): number | undefined {
  return readStat(pid)?.startTime;
}

/** The identity of a living process, or undefined when there is none. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/**
 * True while this very process runs. A zombie has ended, unless it has other threads: killed, but not out of the kernel yet (which may
 * take the time of a flush), they still hold its files, sockets and locks.
 */
export function isAlive({ pid, startTime }: ProcessIdentity): boolean {
  const stat = readStat(pid);
  if (stat === undefined || stat.startTime !== startTime || stat.state === 'X') return false;
  return stat.state !== 'Z' || stat.threads > 1;
}

interface ProcessStat {
  state: string;
  parentPid: number;
  threads: number;
  startTime: number;
}

/** State, parent, number of threads and start time of a process (proc_pid_stat(5)), or undefined when there is none. */
export function readStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
  // The name may hold spaces and parentheses; the fields begin after the last parenthesis.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0] ?? '',
    parentPid: Number(fields[1]),
    threads: Number(fields[17]),
    startTime: Number(fields[19]),
  };
}

/** Sends a signal to this very process. False when it has already ended. Throws SystemError (EPERM). */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals | number): boolean {
  const pidfd = openPidfd(identity);
  if (pidfd === undefined) return false;
  const number = typeof signal === 'number' ? signal : constants.signals[signal];
  try {
    check(syscalls.pidfdSendSignal(pidfd, number), {
      operation: `send signal ${signal} to`,
      path: `pid ${identity.pid}`,
    });
    return true;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  } finally {
    closeSync(pidfd);
  }
}

export interface WaitOptions {
  /** Gives up waiting. */
  signal?: AbortSignal;
  /** False: this process may end while it waits. Default true. */
  keepAlive?: boolean;
}

/** Resolves when this very process has ended, at once if it already has. Rejects when `signal` is aborted before. */
export function waitForExit(identity: ProcessIdentity, options: WaitOptions = {}): Promise<void> {
  const { signal, keepAlive = true } = options;
  const pidfd = openPidfd(identity);
  if (pidfd === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      watch[Symbol.dispose]();
      signal?.removeEventListener('abort', abort);
      settle();
    };
    const abort = () =>
      end(() => reject(signal?.reason instanceof Error ? signal.reason : new Error('aborted')));
    const watch = onReadable(pidfd, () => end(resolve), { keepAlive });
    if (signal?.aborted === true) abort();
    else signal?.addEventListener('abort', abort);
  });
}

function openPidfd(identity: ProcessIdentity): number | undefined {
  try {
    const pidfd = check(syscalls.pidfdOpen(identity.pid), {
      operation: 'pidfd_open',
      path: `pid ${identity.pid}`,
    });
    if (isAlive(identity)) return pidfd;
    closeSync(pidfd);
    return undefined;
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return undefined;
    throw error;
  }
}
