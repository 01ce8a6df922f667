import { libc, syscalls } from './libc.ts';
import { check, hasCode } from './system-error.ts';

/** The flags of mount(2), by the names that mount(8) gives them. */
const mountFlags = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  move: 8192,
  recursive: 16384,
  silent: 32768,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
} as const;

export type MountFlag = keyof typeof mountFlags;
export type Propagation = 'private' | 'slave' | 'shared' | 'unbindable';

export interface MountOptions {
  source?: string;
  target: string;
  type?: string;
  flags?: MountFlag[];
  /** The file system's own options, such as `size=64k,mode=0700`. */
  data?: string;
}

/** Mounts, by mount(2). Throws SystemError. */
export function mount({ source, target, type, flags = [], data }: MountOptions): void {
  const bits = flags.reduce((sum, flag) => sum | mountFlags[flag], 0);
  const attempt = { operation: `mount ${type ?? source ?? flags.join(',')} on`, path: target };
  check(libc.mount(source ?? type ?? null, target, type ?? null, bits, data ?? null), attempt);
}

export interface BindMountOptions {
  source: string;
  target: string;
  /** Bind the mounts below the source too (rbind). */
  recursive?: boolean;
  /** True: this mount is read-only and those below it stay as they are. `recursive`: all of them (Linux 5.12). */
  readOnly?: boolean | 'recursive';
  propagation?: Propagation;
}

/** Makes `source` visible at `target`, which must exist. A half-made mount is taken away again before it throws. */
export function bindMount({ source, target, recursive, readOnly, propagation }: BindMountOptions): void {
  mount({ source, target, flags: recursive === true ? ['bind', 'recursive'] : ['bind'] });
  try {
    if (propagation !== undefined) setPropagation(target, propagation, { recursive: true });
    if (readOnly !== undefined && readOnly !== false)
      setReadOnly(target, { recursive: readOnly === 'recursive' });
  } catch (error) {
    unmount(target, { lazy: true });
    throw error;
  }
}

const AT_FDCWD = -100;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1n;

/**
 * Makes an existing mount read-only and leaves its other flags alone, by mount_setattr(2) (Linux 5.12). A remount would
 * have to repeat nosuid, nodev and noexec. Throws SystemError; `recursive` is all or nothing.
 */
function setReadOnly(target: string, { recursive = false } = {}): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(MOUNT_ATTR_RDONLY, 0);
  const result = syscalls.mountSetattr(AT_FDCWD, target, recursive ? AT_RECURSIVE : 0, attributes);
  check(result, { operation: `mount_setattr${recursive ? ' recursively' : ''} read-only`, path: target });
}

/** Sets how mount events travel between this mount and its copies (mount_namespaces(7)). Throws SystemError. */
export function setPropagation(target: string, propagation: Propagation, { recursive = false } = {}): void {
  mount({ target, flags: recursive ? [propagation, 'recursive'] : [propagation] });
}

/**
 * Makes a directory a shared mount of itself, a peer of no other: private first, or below a shared root (as systemd has it) each mount
 * in it would be made a second time, on the directory underneath. `recursive`: with the mounts that are in it, each the same way.
 */
export function mountOnItself(path: string, { recursive = false } = {}): void {
  bindMount({ source: path, target: path, recursive });
  setPropagation(path, 'private', { recursive });
  setPropagation(path, 'shared', { recursive });
}

const MNT_FORCE = 1;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

export interface UnmountOptions {
  /** Detach now, and free when the last user is gone. */
  lazy?: boolean;
  force?: boolean;
  /** Nothing mounted there, or nothing there at all, is no error: for paths that must be idempotent. */
  ifMounted?: boolean;
}

/** Unmounts the topmost mount on `target`; a symlink is not followed. Throws SystemError. */
export function unmount(target: string, { lazy, force, ifMounted }: UnmountOptions = {}): void {
  const flags = UMOUNT_NOFOLLOW | (lazy === true ? MNT_DETACH : 0) | (force === true ? MNT_FORCE : 0);
  try {
    check(libc.umount2(target, flags), { operation: 'unmount', path: target });
  } catch (error) {
    if (ifMounted === true && hasCode(error, 'EINVAL', 'ENOENT')) return;
    throw error;
  }
}

/**
 * As mount(), in a thread: for file systems on disks, where it waits for reads and writes. Safe to be asked twice, as
 * it is when it fails.
 */
export async function mountWaiting(options: MountOptions): Promise<void> {
  const { source, target, type, flags = [], data } = options;
  const bits = flags.reduce((sum, flag) => sum | mountFlags[flag], 0);
  const result = await libc.mountAsync(source ?? type ?? null, target, type ?? null, bits, data ?? null);
  if (result < 0) mount(options); // errno is known only to the thread that saw it
}

/** As unmount(), in a thread: for file systems on disks, which write what is in memory first. */
export async function unmountWaiting(target: string, options: UnmountOptions = {}): Promise<void> {
  const result = await libc.umount2Async(target, UMOUNT_NOFOLLOW);
  if (result < 0) unmount(target, options);
}

/**
 * Sorts mount options as people write them (`ro,noatime,data=journal`, mount(8)) into flags and what the file system
 * itself understands. `defaults` and the opposites of flags (`rw`, `suid`) say what holds anyway, unless a later one
 * says otherwise.
 */
export function parseMountOptions(options: string[]): { flags: MountFlag[]; data: string } {
  const flags = new Set<MountFlag>();
  const data: string[] = [];
  for (const option of options.flatMap((text) => text.split(',')).map((text) => text.trim())) {
    if (option === '' || option === 'defaults') continue;
    const opposite = opposites[option];
    if (opposite !== undefined) flags.delete(opposite);
    else if (isMountFlag(option)) flags.add(option);
    else data.push(option);
  }
  return { flags: [...flags], data: data.join(',') };
}

const isMountFlag = (option: string): option is MountFlag => Object.hasOwn(mountFlags, option);

const opposites: Record<string, MountFlag> = {
  rw: 'ro',
  suid: 'nosuid',
  dev: 'nodev',
  exec: 'noexec',
  async: 'sync',
  atime: 'noatime',
  diratime: 'nodiratime',
  norelatime: 'relatime',
  nostrictatime: 'strictatime',
  nolazytime: 'lazytime',
};
