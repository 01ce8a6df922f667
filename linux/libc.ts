import { promisify } from 'node:util';
import koffi from 'koffi';

/**
 * The C library's functions that Node.js has no face for. Everything here blocks only as long as the system call does;
 * a mount is some twenty microseconds. Call them through `check()` of system-error.ts, which reads errno at once.
 */
const library = koffi.load(null);

type Path = string | null;
type Mount<Result> = (source: Path, target: string, type: Path, flags: number, data: Path) => Result;
type Unmount<Result> = (target: string, flags: number) => Result;

const mount = library.func(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const umount2 = library.func('int umount2(const char *target, int flags)');
const waitpid = library.func('int waitpid(int pid, void *status, int options)');

export const libc = {
  mount: mount as Mount<number>,
  umount2: umount2 as Unmount<number>,
  /** In a thread, whose errno is not known here. */
  mountAsync: promisify(mount.async) as Mount<Promise<number>>,
  umount2Async: promisify(umount2.async) as Unmount<Promise<number>>,
  statx: library.func(
    'int statx(int dirfd, const char *path, int flags, unsigned int mask, _Out_ void *out)',
  ) as (dirfd: number, path: string | Buffer, flags: number, mask: number, out: Buffer) => number,
  unshare: library.func('int unshare(int flags)') as (flags: number) => number,
  setns: library.func('int setns(int fd, int nstype)') as (fd: number, nstype: number) => number,
  inotifyInit: library.func('inotify_init1', 'int', ['int']) as (flags: number) => number,
  inotifyAddWatch: library.func('inotify_add_watch', 'int', ['int', 'str', 'uint32_t']) as (
    fd: number,
    path: string,
    mask: number,
  ) => number,
  inotifyRemoveWatch: library.func('inotify_rm_watch', 'int', ['int', 'int']) as (
    fd: number,
    descriptor: number,
  ) => number,
  epollCreate: library.func('epoll_create1', 'int', ['int']) as (flags: number) => number,
  epollControl: library.func('epoll_ctl', 'int', ['int', 'int', 'int', 'void *']) as (
    epoll: number,
    operation: number,
    fd: number,
    event: Buffer,
  ) => number,
  epollWait: library.func('epoll_wait', 'int', ['int', 'void *', 'int', 'int']) as (
    epoll: number,
    events: Buffer,
    count: number,
    timeoutMs: number,
  ) => number,
  mknod: library.func('int mknod(const char *path, unsigned int mode, uint64_t dev)') as (
    path: string,
    mode: number,
    device: number,
  ) => number,
  pipe2: library.func('int pipe2(_Out_ void *ends, int flags)') as (ends: Buffer, flags: number) => number,
  waitid: library.func('int waitid(int idtype, unsigned int id, _Out_ void *info, int options)') as (
    idType: number,
    id: number,
    info: Buffer,
    options: number,
  ) => number,
  /** In a thread. */
  waitpidAsync: promisify(waitpid.async) as (pid: number, status: null, options: number) => Promise<number>,
  posixSpawn: library.func('posix_spawn', 'int', ['void *', 'str', 'void *', 'void *', 'str *', 'str *']) as (
    pid: Buffer,
    file: string,
    actions: Buffer,
    attributes: null,
    args: (string | null)[],
    env: (string | null)[],
  ) => number,
  fileActionsInit: library.func('posix_spawn_file_actions_init', 'int', ['void *']) as (
    actions: Buffer,
  ) => number,
  fileActionsDestroy: library.func('posix_spawn_file_actions_destroy', 'int', ['void *']) as (
    actions: Buffer,
  ) => number,
  fileActionsAddDup2: library.func('posix_spawn_file_actions_adddup2', 'int', ['void *', 'int', 'int']) as (
    actions: Buffer,
    fd: number,
    target: number,
  ) => number,
  fileActionsAddOpen: library.func('posix_spawn_file_actions_addopen', 'int', [
    'void *',
    'int',
    'str',
    'int',
    'unsigned int',
  ]) as (actions: Buffer, fd: number, path: string, flags: number, mode: number) => number,
  fileActionsAddChdir: library.func('posix_spawn_file_actions_addchdir_np', 'int', ['void *', 'str']) as (
    actions: Buffer,
    path: string,
  ) => number,
  memfdCreate: library.func('int memfd_create(const char *name, unsigned int flags)') as (
    name: string,
    flags: number,
  ) => number,
  fcntl: library.func('fcntl', 'int', ['int', 'int', 'int']) as (
    fd: number,
    command: number,
    value: number,
  ) => number,
  read: library.func('long read(int fd, _Out_ void *out, size_t count)') as (
    fd: number,
    out: Buffer,
    count: number,
  ) => number,
};

/**
 * posix_spawn_file_actions_addclosefrom_np(3): closes all from a file descriptor up. Undefined before glibc 2.34 and in
 * musl.
 */
export const addCloseFrom = optional('posix_spawn_file_actions_addclosefrom_np', ['void *', 'int']) as
  ((actions: Buffer, from: number) => number) | undefined;

function optional(name: string, args: string[]): unknown {
  try {
    return library.func(name, 'int', args);
  } catch {
    return undefined; // this C library has not got it
  }
}

/** System calls newer than some C libraries; their numbers are the same on every architecture (since Linux 5.0). */
const systemCall = { openat2: 437, mountSetattr: 442, pidfdOpen: 434, pidfdSendSignal: 424 };

const openat2 = library.func('syscall', 'long', ['long', 'int', 'str', 'void *', 'size_t']);
const mountSetattr = library.func('syscall', 'long', [
  'long',
  'int',
  'str',
  'unsigned int',
  'void *',
  'size_t',
]);
const pidfdOpen = library.func('syscall', 'long', ['long', 'int', 'unsigned int']);
const bpf = library.func('syscall', 'long', ['long', 'int', 'void *', 'unsigned int']);
const pidfdSendSignal = library.func('syscall', 'long', ['long', 'int', 'int', 'void *', 'unsigned int']);

export const syscalls = {
  /** openat2(2) with a `struct open_how` of 24 bytes. */
  openat2: (dirfd: number, path: string, how: Buffer): number =>
    Number(openat2(systemCall.openat2, dirfd, path, how, how.length)),
  /** mount_setattr(2) with a `struct mount_attr` of 32 bytes. */
  mountSetattr: (dirfd: number, path: string, flags: number, attributes: Buffer): number =>
    Number(mountSetattr(systemCall.mountSetattr, dirfd, path, flags, attributes, attributes.length)),
  /** bpf(2) with its `union bpf_attr`. */
  bpf: (command: number, attributes: Buffer): number =>
    Number(bpf(bpfCall, command, attributes, attributes.length)),
  /** The address of a buffer's bytes, which must stay referenced while the kernel uses it. */
  addressOf: (bytes: Buffer): bigint => koffi.address(bytes),
  /** pidfd_open(2). */
  pidfdOpen: (pid: number): number => Number(pidfdOpen(systemCall.pidfdOpen, pid, 0)),
  /** pidfd_send_signal(2). */
  pidfdSendSignal: (pidfd: number, signal: number): number =>
    Number(pidfdSendSignal(systemCall.pidfdSendSignal, pidfd, signal, null, 0)),
};

/** The number of bpf(2), which is older than the common numbering. */
const bpfCall = process.arch === 'arm64' ? 280 : 321;

/** The errno that the last call of this module left. */
export const errno = (): number => koffi.errno();
