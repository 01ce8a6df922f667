import { closeSync, readlinkSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { syscalls } from './libc.ts';
import { check } from './system-error.ts';

/** An open file or directory, and a path that leads to exactly it whatever is renamed meanwhile. */
export interface OpenedPath extends Disposable {
  fd: number;
  /** `/proc/self/fd/N`: usable for mount, chmod and the like in this process until disposed. */
  path: string;
  /** Where it stands now. */
  realPath(): string;
}

export interface OpenInsideOptions {
  /** open(2) flags; O_PATH by default, which opens anything and needs no permission on the file itself. */
  flags?: number;
  mode?: number;
  /**
   * `in-root`: symlinks and `..` are followed as if `root` were `/` (like chroot, as container paths mean them).
   * `beneath`: a path that leads out is an error (EXDEV). Default `in-root`.
   */
  resolve?: 'in-root' | 'beneath';
  /** Any symlink on the way is an error (ELOOP). */
  noSymlinks?: boolean;
}

const AT_FDCWD = -100;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE_NO_MAGICLINKS = 0x2n;
const RESOLVE_NO_SYMLINKS = 0x4n;
const RESOLVE_BENEATH = 0x8n;
const RESOLVE_IN_ROOT = 0x10n;

/**
 * Opens `relative` below the directory `root` so that no symlink, `..` or rename made by somebody else at the same moment
 * can lead outside: the kernel checks every step (openat2(2), Linux 5.6). Throws SystemError (ENOENT, EXDEV, ELOOP, ENOTDIR).
 */
export function openInside(root: string, relative: string, options: OpenInsideOptions = {}): OpenedPath {
  const { flags = O_PATH, mode = 0, resolve = 'in-root', noSymlinks = false } = options;
  const scope = resolve === 'in-root' ? RESOLVE_IN_ROOT : RESOLVE_BENEATH;
  const how = {
    flags,
    mode,
    resolve: scope | RESOLVE_NO_MAGICLINKS | (noSymlinks ? RESOLVE_NO_SYMLINKS : 0n),
  };
  using directory = openPath(root);
  return opened(openat2(directory.fd, relative === '' ? '.' : relative, how, `${relative} inside ${root}`));
}

/** Opens a path without access to its content (O_PATH), symlinks followed. */
export function openPath(path: string): OpenedPath {
  return opened(openat2(AT_FDCWD, path, { flags: O_PATH, mode: 0, resolve: 0n }, path));
}

function openat2(
  dirfd: number,
  path: string,
  how: { flags: number; mode: number; resolve: bigint },
  name: string,
): number {
  const buffer = Buffer.alloc(24);
  buffer.writeBigUInt64LE(BigInt(how.flags | O_CLOEXEC), 0);
  buffer.writeBigUInt64LE(BigInt(how.mode), 8);
  buffer.writeBigUInt64LE(how.resolve, 16);
  return check(syscalls.openat2(dirfd, path, buffer), { operation: 'open', path: name });
}

function opened(fd: number): OpenedPath {
  return {
    fd,
    path: `/proc/self/fd/${fd}`,
    realPath: () => readlinkSync(`/proc/self/fd/${fd}`),
    [Symbol.dispose]: () => closeSync(fd),
  };
}

export interface FileSystemUsage {
  /** The file system's magic number (statfs(2)), such as 0x01021994 for tmpfs. */
  type: number;
  capacityBytes: number;
  usedBytes: number;
  /** For users other than root. */
  availableBytes: number;
  inodes: number;
  inodesUsed: number;
  inodesFree: number;
}

/** How full the file system of `path` is, as the kubelet's stats report it. */
export async function usageOf(path: string): Promise<FileSystemUsage> {
  const { type, bsize, blocks, bfree, bavail, files, ffree } = await statfs(path);
  return {
    type,
    capacityBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    availableBytes: bavail * bsize,
    inodes: files,
    inodesUsed: files - ffree,
    inodesFree: ffree,
  };
}

/** The magic number of tmpfs (statfs(2)). */
export const TMPFS_MAGIC = 0x01021994;
