import { closeSync, constants, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import koffi from 'koffi';
import { check, hasCode } from './system-error.ts';

const flock = koffi.load(null).func('int flock(int fd, int operation)') as (
  fd: number,
  operation: number,
) => number;

const LOCK_EX = 2;
const LOCK_NB = 4;
const retryMs = 5;

/**
 * Takes an exclusive lock on a file (made when missing) against every other open of it, in this process or another
 * (flock(2)), and waits while somebody else has it. Dispose to let go; the kernel does it when the process dies.
 */
export async function lockFile(path: string): Promise<Disposable> {
  const fd = openSync(path, 'a', 0o600);
  try {
    while (!tryLock(fd, path)) await delay(retryMs);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

/** As lockFile(), but undefined when somebody else has it. */
export function tryLockFile(path: string): Disposable | undefined {
  const fd = openSync(path, 'a', 0o600);
  let isOurs = false;
  try {
    isOurs = tryLock(fd, path);
  } finally {
    if (!isOurs) closeSync(fd);
  }
  return isOurs ? { [Symbol.dispose]: () => closeSync(fd) } : undefined;
}

/** As lockFile(), of a directory and without giving way meanwhile: for some system calls that only one process may do at a time. */
export function lockDirectory(path: string): Disposable {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    check(flock(fd, LOCK_EX), { operation: 'lock', path });
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}

// The waiting is done by a timer: a blocking flock would hold one of the few threads that serve all file work.
function tryLock(fd: number, path: string): boolean {
  try {
    check(flock(fd, LOCK_EX | LOCK_NB), { operation: 'lock', path });
    return true;
  } catch (error) {
    if (hasCode(error, 'EAGAIN', 'EWOULDBLOCK')) return false;
    throw error;
  }
}
