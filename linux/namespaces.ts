import { closeSync, mkdirSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { libc } from './libc.ts';
import { lockDirectory } from './file-lock.ts';
import { isMountPoint } from './mount-info.ts';
import { bindMount, mountOnItself, unmount } from './mount.ts';
import { check, hasCode } from './system-error.ts';

const CLONE_NEWNET = 0x40000000;

/** The words to put before a command so that it runs in the network namespace bound at `path`. */
export function inNetworkNamespace(path: string): string[] {
  return ['nsenter', `--net=${path}`, '--'];
}

/**
 * Makes a network namespace and binds it at `path` (made with its parent directories), so that it lives without a process.
 * Throws SystemError; EEXIST from the file system when the path is taken.
 */
export function createNetworkNamespace(path: string): void {
  insideNewNetworkNamespace(() => bindNetworkNamespace('/proc/thread-self/ns/net', path));
}

/** Binds a network namespace (`/proc/PID/ns/net`) at `path`, which is made and must not be there yet (EEXIST). */
export function bindNetworkNamespace(source: string, path: string): void {
  prepareFolder(dirname(path));
  writeFileSync(path, '', { flag: 'wx', mode: 0o444 });
  try {
    bindMount({ source, target: path });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Where iproute2 keeps named network namespaces (ip-netns(8)). */
const iprouteFolder = '/run/netns';

/**
 * iproute2's folder is made a shared mount of itself, as `ip netns add` does it where that has not been done. Done later, over our
 * namespaces, it would leave a mount of each below that nobody can reach, and their files could not be removed (EBUSY). It stays, as
 * iproute2's does: others may have namespaces there by then.
 */
function prepareFolder(folder: string): void {
  mkdirSync(folder, { recursive: true });
  if (folder !== iprouteFolder) return;
  using _lock = lockDirectory(folder);
  if (isMountPoint(folder)) return;
  mountOnItself(folder, { recursive: true });
}

/** Takes away the binding at `path`; the namespace ends with its last process. Nothing there is no error. */
export function deleteNetworkNamespace(path: string): void {
  unmount(path, { lazy: true, ifMounted: true });
  rmSync(path, { force: true });
}

/** Runs `action` (synchronous: nothing else runs on this thread meanwhile) in the network namespace bound at `path`. */
export function insideNetworkNamespace<Result>(path: string, action: () => Result): Result {
  const fd = openSync(path, 'r');
  try {
    return leavingAfter(() => check(libc.setns(fd, CLONE_NEWNET), { operation: 'setns', path }), action);
  } finally {
    closeSync(fd);
  }
}

const insideNewNetworkNamespace = (action: () => void): void =>
  leavingAfter(() => check(libc.unshare(CLONE_NEWNET), { operation: 'unshare network namespace' }), action);

function leavingAfter<Result>(enter: () => void, action: () => Result): Result {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    enter();
    try {
      return action();
    } finally {
      // A process that cannot go home must not go on in the wrong network.
      if (libc.setns(home, CLONE_NEWNET) < 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}

export type NamespaceType = 'net' | 'ipc' | 'uts' | 'pid' | 'mnt' | 'cgroup' | 'user';

/** The inode number that names a process's namespace, as lsns prints it; undefined when the process is gone. */
export function namespaceId(pid: number | 'self', type: NamespaceType): number | undefined {
  try {
    return statSync(`/proc/${pid}/ns/${type}`).ino;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ESRCH')) return undefined;
    throw error;
  }
}
