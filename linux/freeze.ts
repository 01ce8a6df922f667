import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { blockDeviceNumber, isHeld } from './block-device.ts';
import { probeDisk } from './disk-content.ts';
import { ioctl, ioctlWaiting } from './ioctl.ts';
import { mountWaiting, unmountWaiting } from './mount.ts';
import { readMountInfo } from './mount-info.ts';
import { hasCode } from './system-error.ts';

const FIFREEZE = 0xc0045877;
const FITHAW = 0xc0045878;

/** Where a block device is mounted in this mount namespace; undefined when it is not. */
export function mountPointOf(device: string): string | undefined {
  const number = blockDeviceNumber(device);
  if (number === undefined) return undefined;
  const { major, minor } = number;
  return readMountInfo().find((mount) => mount.major === major && mount.minor === minor)?.mountPoint;
}

/** A file system at rest. */
export interface FrozenFileSystem {
  /** Lets it go on. */
  thaw(): void;
}

/**
 * Brings a mounted file system to rest: what is in memory is written, and who writes to it waits until `thaw()`. It
 * stays mounted until then (unmounting is EBUSY), and at rest when this process dies. Undefined when it is at rest
 * already or its kind cannot do it. Throws SystemError.
 */
export async function freezeFileSystem(mountPoint: string): Promise<FrozenFileSystem | undefined> {
  // Kept open: unmounted meanwhile, it would stay at rest with no path left to reach it by.
  const fd = openSync(mountPoint, 'r');
  try {
    await ioctlWaiting(fd, FIFREEZE, 0, { operation: 'freeze', path: mountPoint });
    return { thaw: () => thaw(fd, mountPoint) };
  } catch (error) {
    closeSync(fd);
    if (hasCode(error, 'EBUSY', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP')) return undefined;
    throw error;
  }
}

/**
 * Lets the file system of a block device go on that a process brought to rest which is no more. Unmounted since, it
 * still holds the device, and is reached by mounting it once more. False when it was not at rest, or there is none.
 */
export async function thawDevice(device: string): Promise<boolean> {
  const mountPoint = mountPointOf(device);
  if (mountPoint !== undefined) return thaw(openSync(mountPoint, 'r'), mountPoint);
  if (!isHeld(device)) return false;
  const content = await probeDisk(device);
  if (content.kind !== 'file system') return false;
  const target = mkdtempSync(join(tmpdir(), 'podwright-thaw-'));
  try {
    await mountWaiting({ source: device, target, type: content.type });
    const thawed = thaw(openSync(target, 'r'), target);
    await unmountWaiting(target);
    return thawed;
  } catch (error) {
    if (hasCode(error, 'EBUSY')) return false; // held by something that is no file system
    throw error;
  } finally {
    rmdirSync(target);
  }
}

function thaw(fd: number, mountPoint: string): boolean {
  try {
    ioctl(fd, FITHAW, 0, { operation: 'thaw', path: mountPoint });
    return true;
  } catch (error) {
    if (hasCode(error, 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP')) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}
