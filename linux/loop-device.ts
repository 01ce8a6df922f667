import { closeSync, constants, existsSync, openSync, readdirSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { blockAttribute } from './block-device.ts';
import { ioctl } from './ioctl.ts';
import { libc } from './libc.ts';
import { check, hasCode, SystemError } from './system-error.ts';

const LOOP_CLR_FD = 0x4c01;
const LOOP_SET_STATUS64 = 0x4c04;
const LOOP_GET_STATUS64 = 0x4c05;
const LOOP_SET_CAPACITY = 0x4c07;
const LOOP_SET_DIRECT_IO = 0x4c08;
const LOOP_CONFIGURE = 0x4c0a;
const LOOP_CTL_GET_FREE = 0x4c82;

const LO_FLAGS_READ_ONLY = 1;
const LO_FLAGS_DIRECT_IO = 16;

/** A loop device that has a file (loop(4)). */
export interface LoopDevice {
  /** `/dev/loop0`. */
  path: string;
  /** As the kernel names it now: after a rename the new path, after an unlink the old one. */
  backingFile: string;
  /** The backing file has been unlinked and lives only through the device. */
  deleted: boolean;
  readOnly: boolean;
  /** Reads and writes go past the page cache of the backing file. */
  directIo: boolean;
  /** It was taken from those who still hold it (cutOffLoop): they get only errors, and it ends at their last close. */
  cutOff: boolean;
}

export interface AttachLoopOptions {
  readOnly?: boolean;
  /** Go past the page cache where the backing file system can; otherwise, and where it cannot, through it. Default true. */
  directIo?: boolean;
}

/**
 * Makes a file a block device and returns the device's path. Safe against others who take loop devices at the same
 * moment: a device counts only when the kernel gave it to this file in one step (LOOP_CONFIGURE, Linux 5.8). Throws
 * SystemError.
 */
export function attachLoop(
  file: string,
  { readOnly = false, directIo = true }: AttachLoopOptions = {},
): string {
  const backing = openSync(file, readOnly ? constants.O_RDONLY : constants.O_RDWR);
  try {
    for (;;) {
      const number = freeNumber();
      const device = openDevice(number, readOnly);
      try {
        const flags = (readOnly ? LO_FLAGS_READ_ONLY : 0) | (directIo ? LO_FLAGS_DIRECT_IO : 0);
        ioctl(device, LOOP_CONFIGURE, loopConfig(backing, file, flags), {
          operation: 'attach loop',
          path: file,
        });
        return nodeOf(number);
      } catch (error) {
        if (!hasCode(error, 'EBUSY')) throw error; // somebody else was given this one: the next
      } finally {
        closeSync(device);
      }
    }
  } finally {
    closeSync(backing);
  }
}

const nodeOf = (number: number): string => `/dev/loop${number}`;

function freeNumber(): number {
  const path = '/dev/loop-control';
  ensureNode(path, { type: S_IFCHR, major: MISC_MAJOR, minor: LOOP_CTRL_MINOR });
  const control = openSync(path, constants.O_RDWR); // loads the kernel's module where it is one
  try {
    return ioctl(control, LOOP_CTL_GET_FREE, 0, { operation: 'find a free loop device by', path });
  } finally {
    closeSync(control);
  }
}

function openDevice(number: number, readOnly: boolean): number {
  const path = nodeOf(number);
  ensureNode(path, { type: S_IFBLK, major: LOOP_MAJOR, minor: number });
  return openSync(path, readOnly ? constants.O_RDONLY : constants.O_RDWR);
}

const S_IFCHR = 0o20000;
const S_IFBLK = 0o60000;
const MISC_MAJOR = 10;
const LOOP_CTRL_MINOR = 237;
const LOOP_MAJOR = 7;

interface Node {
  type: number;
  major: number;
  minor: number;
}

/** devtmpfs makes the nodes by itself; a /dev that is a plain tmpfs (a container's) does not. */
function ensureNode(path: string, { type, major, minor }: Node): void {
  if (existsSync(path)) return;
  const device = (BigInt(major) << 8n) | BigInt(minor & 0xff) | (BigInt(minor & ~0xff) << 12n); // makedev(3)
  try {
    check(libc.mknod(path, type | 0o660, Number(device)), { operation: 'mknod', path });
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
  }
}

const sizeOfInfo = 232;
const fileNameBytes = 64;
/** Offsets in struct loop_info64 (linux/loop.h). */
const info = { device: 0, inode: 8, offset: 24, number: 40, flags: 52, fileName: 56 };

/** struct loop_config: the file descriptor, the block size (0: 512), loop_info64 and 64 reserved bytes. */
function loopConfig(fd: number, file: string, flags: number): Buffer {
  const config = Buffer.alloc(8 + sizeOfInfo + 64);
  config.writeUInt32LE(fd, 0);
  config.writeUInt32LE(flags, 8 + info.flags);
  config.write(file, 8 + info.fileName, fileNameBytes - 1);
  return config;
}

export interface DetachLoopOptions {
  /** How long to wait for programs that still have it open, such as a probe of udev. Default 5000. */
  timeoutMs?: number;
}

/**
 * Takes a file off its loop device. A device that has no file, another file, or is not there is no error. Throws
 * SystemError EBUSY, and leaves it as it is, while a file system of it is mounted; and when a program keeps it open
 * past the time limit: then the kernel takes the file off at its last close.
 */
export async function detachLoop(
  { path, backingFile }: Pick<LoopDevice, 'path' | 'backingFile'>,
  { timeoutMs = 5000 }: DetachLoopOptions = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const stillThere = () => loopAt(path)?.backingFile === backingFile;
  while (stillThere() && !tryClear(path, stillThere)) await waitUntil(deadline, path, 'is mounted or held');
  while (stillThere()) await waitUntil(deadline, path, 'is open');
}

const EBUSY = 16;

async function waitUntil(deadline: number, path: string, why: string): Promise<void> {
  if (Date.now() > deadline)
    throw new SystemError({ operation: `detach loop (the device ${why})`, path }, EBUSY);
  await delay(5);
}

/** False when the device is held. Held by us for this moment, it can neither be mounted nor get another file in between. */
function tryClear(path: string, stillThere: () => boolean): boolean {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_EXCL);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENXIO')) return true;
    if (hasCode(error, 'EBUSY')) return false;
    throw error;
  }
  try {
    if (stillThere()) ioctl(fd, LOOP_CLR_FD, 0, { operation: 'detach loop', path });
    return true;
  } catch (error) {
    if (hasCode(error, 'ENXIO')) return true; // its file has just gone
    throw error;
  } finally {
    closeSync(fd);
  }
}

const beyondEveryFile = 2n ** 62n;

/**
 * Takes a file away from a device that is in use, as a machine loses a disk that is pulled out: its window is moved
 * beyond the end of the file, so that the device has no size, every access by those who still hold it (a mounted file
 * system, a program) fails with EIO, and nothing of theirs reaches the file. The device ends at their last close. No
 * error when it has no file or another one. Throws SystemError.
 */
export function cutOffLoop({ path, backingFile }: Pick<LoopDevice, 'path' | 'backingFile'>): void {
  onDevice(path, (fd) => {
    if (loopAt(path)?.backingFile !== backingFile) return;
    const status = Buffer.alloc(sizeOfInfo);
    ioctl(fd, LOOP_GET_STATUS64, status, { operation: 'status of loop', path });
    status.writeBigUInt64LE(beyondEveryFile, info.offset);
    ioctl(fd, LOOP_SET_STATUS64, status, { operation: 'cut off loop', path });
    ioctl(fd, LOOP_CLR_FD, 0, { operation: 'detach loop', path });
  });
}

/** All loop devices that have a file. */
export function listLoops(): LoopDevice[] {
  return readdirSync('/sys/block')
    .filter((name) => /^loop\d+$/.test(name))
    .flatMap((name) => loopAt(`/dev/${name}`) ?? []);
}

const deletedMark = ' (deleted)';

/** What a loop device's path (`/dev/loop0`) has now; undefined when it has no file. */
export function loopAt(path: string): LoopDevice | undefined {
  const name = path.replace('/dev/', '');
  const shown = blockAttribute(name, 'loop/backing_file');
  if (shown === undefined) return undefined;
  const deleted = shown.endsWith(deletedMark) && !existsSync(shown);
  return {
    path,
    backingFile: deleted ? shown.slice(0, -deletedMark.length) : shown,
    deleted,
    readOnly: blockAttribute(name, 'ro') === '1',
    directIo: blockAttribute(name, 'loop/dio') === '1',
    cutOff: blockAttribute(name, 'loop/offset') === String(beyondEveryFile),
  };
}

/** The loop devices of a file, by the file itself where it exists (whatever its names), otherwise by its last path. */
export function loopsOf(file: string): LoopDevice[] {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return listLoops().filter((loop) => {
    if (stat === undefined || loop.deleted) return loop.backingFile === file;
    const backing = backingInode(loop.path);
    return backing?.device === stat.dev && backing.inode === stat.ino;
  });
}

/** Device and inode of the file that a loop device has now, by LOOP_GET_STATUS64. */
function backingInode(path: string): { device: bigint; inode: bigint } | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENXIO', 'EBUSY')) return undefined;
    throw error;
  }
  try {
    const status = Buffer.alloc(sizeOfInfo);
    ioctl(fd, LOOP_GET_STATUS64, status, { operation: 'status of loop', path });
    return { device: status.readBigUInt64LE(info.device), inode: status.readBigUInt64LE(info.inode) };
  } catch (error) {
    if (hasCode(error, 'ENXIO')) return undefined;
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The loop devices whose backing file is, or was, below a directory. */
export function loopsBelow(directory: string): LoopDevice[] {
  const prefix = directory.replace(/\/*$/, '/');
  return listLoops().filter(({ backingFile }) => backingFile.startsWith(prefix));
}

/** Tells a loop device that its file has another size now. Throws SystemError. */
export function updateLoopCapacity(path: string): void {
  onDevice(path, (fd) => ioctl(fd, LOOP_SET_CAPACITY, 0, { operation: 'set capacity of loop', path }));
}

/**
 * Makes a loop device go past the page cache of its file, or through it, while it is in use. Throws SystemError
 * (EINVAL: cannot).
 */
export function setLoopDirectIo(path: string, directIo: boolean): void {
  const attempt = { operation: 'set direct io of loop', path };
  onDevice(path, (fd) => ioctl(fd, LOOP_SET_DIRECT_IO, directIo ? 1 : 0, attempt));
}

function onDevice(path: string, use: (fd: number) => unknown): void {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
