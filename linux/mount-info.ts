import { readFileSync, realpathSync } from 'node:fs';
import { libc } from './libc.ts';
import { unmount } from './mount.ts';
import { check, hasCode } from './system-error.ts';

/** One line of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export interface MountInfo {
  id: number;
  parentId: number;
  major: number;
  minor: number;
  /** The directory of the file system that is the root of this mount. */
  root: string;
  mountPoint: string;
  /** Options of this mount, such as `ro` and `nosuid`. */
  options: string[];
  /** Propagation: `shared:1`, `master:2`. None is a private mount. */
  optional: string[];
  type: string;
  source: string;
  superOptions: string[];
}

/** Reads the mounts of a process, in the kernel's order: a mount comes after the one it stands on. */
export function readMountInfo(path = '/proc/self/mountinfo'): MountInfo[] {
  return readFileSync(path, 'utf8').split('\n').filter(Boolean).map(parseMountInfoLine);
}

/** Parses one line of mountinfo. Throws when it is not one. */
export function parseMountInfoLine(line: string): MountInfo {
  const [left = '', right = ''] = line.split(' - ', 2);
  const [id, parentId, device, root, mountPoint, options, ...optional] = left.split(' ');
  const [type, source, superOptions] = right.split(' ');
  if (mountPoint === undefined || type === undefined)
    throw new Error(`mountinfo line not understood: ${line}`);
  const [major = 0, minor = 0] = (device ?? '').split(':').map(Number);
  return {
    id: Number(id),
    parentId: Number(parentId),
    major,
    minor,
    root: unescapePath(root ?? ''),
    mountPoint: unescapePath(mountPoint),
    options: (options ?? '').split(','),
    optional,
    type,
    source: unescapePath(source ?? ''),
    superOptions: (superOptions ?? '').split(','),
  };
}

// The kernel writes space, tab, newline and backslash in octal, byte by byte.
const unescapePath = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_STATX_DONT_SYNC = 0x4000;
const STATX_ATTR_MOUNT_ROOT = 0x2000n;

/**
 * True when something is mounted exactly at `path` (statx(2), Linux 5.8: no parsing). False when the path is not there. The server of
 * what is mounted is not asked (without that flag, SMB and FUSE before Linux 6.6 do ask), so this doesn't wait for a dead one.
 */
export function isMountPoint(path: string | Buffer): boolean {
  const result = Buffer.alloc(256);
  const bytes = Buffer.concat([Buffer.from(path), Buffer.alloc(1)]);
  const flags = AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC;
  try {
    check(libc.statx(AT_FDCWD, bytes, flags, 0, result), { operation: 'statx', path: String(path) });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    if (hasCode(error, 'ENOTCONN', 'ESTALE', 'EHOSTDOWN')) return true; // a server of old has gone
    throw error;
  }
  return (result.readBigUInt64LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0n;
}

/** The topmost mount at a path, which may lead there by symlinks; undefined when there is none. */
export function mountAt(path: string): MountInfo | undefined {
  const place = resolved(path);
  return readMountInfo().findLast(({ mountPoint }) => mountPoint === place);
}

/** The mounts at `prefix` and below it, deepest first: the order to unmount them in. */
export function mountsBelow(prefix: string, mounts?: MountInfo[]): MountInfo[] {
  const root = resolved(prefix);
  return (mounts ?? mountsNaming(root))
    .filter(({ mountPoint }) => mountPoint === root || mountPoint.startsWith(`${root}/`))
    .reverse();
}

/** The mounts whose lines name `path`, so that the others, hundreds on a node, need not be parsed. */
function mountsNaming(path: string): MountInfo[] {
  if (/[\s\\]/.test(path)) return readMountInfo(); // it stands there in octal
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => line.includes(path)).map(parseMountInfoLine);
}

/** Unmounts everything at `prefix` and below, deepest first. Throws SystemError for the first that does not go. */
export function unmountBelow(prefix: string, { lazy = false } = {}): void {
  for (const { mountPoint } of mountsBelow(prefix)) unmount(mountPoint, { lazy, ifMounted: true });
}

function resolved(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ENOTCONN', 'ESTALE')) return path.replace(/(.)\/+$/, '$1');
    throw error;
  }
}
