import { closeSync, constants, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import koffi from 'koffi';
import { ioctl, ioctlWaiting } from './ioctl.ts';
import { check, hasCode } from './system-error.ts';

const BLKGETSIZE64 = 0x80081272;
const BLKFLSBUF = 0x1261;

/** The size of a block device now. Throws SystemError (ENOTTY: not a block device). */
export function blockDeviceBytes(path: string): number {
  const size = Buffer.alloc(8);
  withFile(path, constants.O_RDONLY, (fd) => ioctl(fd, BLKGETSIZE64, size, { operation: 'size of', path }));
  return Number(size.readBigUInt64LE());
}

/**
 * Writes everything that waits in memory for this block device onto it: a file system that is mounted from it, in
 * whichever mount namespace, is synced as by syncfs(2), then the device's own pages. The caches are dropped too.
 */
export async function flushBlockDevice(path: string): Promise<void> {
  const fd = openSync(path, constants.O_RDONLY);
  try {
    await ioctlWaiting(fd, BLKFLSBUF, 0, { operation: 'flush', path });
  } finally {
    closeSync(fd);
  }
}

const fallocate = koffi.load(null).func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');
const fallocateWaiting = promisify(fallocate.async) as (...args: number[]) => Promise<number>;

const FALLOC_FL_KEEP_SIZE = 0x1;
const FALLOC_FL_PUNCH_HOLE = 0x2;
const FALLOC_FL_ZERO_RANGE = 0x10;

/**
 * Makes a part of a block device read as zeros, without giving it space where the device can take it back (a loop
 * device punches a hole into its file), otherwise by writing zeros (fallocate(2)). Throws SystemError.
 */
export async function zeroBlockDevice(
  fd: number,
  { offset, length, path }: { offset: number; length: number; path: string },
): Promise<void> {
  for (const mode of [FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE]) {
    if ((await fallocateWaiting(fd, mode | FALLOC_FL_KEEP_SIZE, offset, length)) === 0) return;
  }
  const again = fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length) as number;
  check(again, { operation: 'zero', path }); // errno is known only to the thread that saw it
}

/**
 * True while somebody holds the device for himself alone: a mounted file system (also one that was lazily unmounted and
 * still has open files), a device mapper, a check of it. A program that has merely opened it does not count (open(2),
 * O_EXCL).
 */
export function isHeld(path: string): boolean {
  try {
    withFile(path, constants.O_RDONLY | constants.O_EXCL, () => undefined);
    return false;
  } catch (error) {
    if (hasCode(error, 'EBUSY')) return true;
    throw error;
  }
}

/** The numbers of a block device's node, or undefined when `path` is something else or nothing. */
export function blockDeviceNumber(path: string): { major: number; minor: number } | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isBlockDevice() !== true) return undefined;
  return splitDeviceNumber(stat.rdev);
}

/** makedev(3) undone. */
function splitDeviceNumber(device: number): { major: number; minor: number } {
  const number = BigInt(device);
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)),
    minor: Number((number & 0xffn) | ((number >> 12n) & ~0xffn)),
  };
}

/** Something the kernel says of a block device (`/sys/block/loop0/ATTRIBUTE`), or undefined when it does not say it. */
export function blockAttribute(name: string, attribute: string): string | undefined {
  try {
    return readFileSync(join('/sys/block', name, attribute), 'utf8').replace(/\n$/, '');
  } catch (error) {
    // ENXIO, ENODEV: the device lost its attributes between open and read
    if (hasCode(error, 'ENOENT', 'ENXIO', 'ENODEV')) return undefined;
    throw error;
  }
}

function withFile(path: string, flags: number, use: (fd: number) => unknown): void {
  const fd = openSync(path, flags);
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
