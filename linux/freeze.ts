import { closeSync, openSync } from 'node:fs';
import { blockDeviceNumber } from './block-device.ts';
import { ioctl, ioctlWaiting } from './ioctl.ts';
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

/**
 * Brings a mounted file system to rest: what is in memory is written, and who writes to it waits until thawFileSystem(). False when it
 * is at rest already or its kind cannot do it. It stays so when this process dies.
 */
export async function freezeFileSystem(mountPoint: string): Promise<boolean> {
  return await tell(mountPoint, (fd) =>
    ioctlWaiting(fd, FIFREEZE, 0, { operation: 'freeze', path: mountPoint }),
  );
}

/** Lets a file system go on. False when it was not at rest. */
export async function thawFileSystem(mountPoint: string): Promise<boolean> {
  return await tell(mountPoint, (fd) => ioctl(fd, FITHAW, 0, { operation: 'thaw', path: mountPoint }));
}

async function tell(mountPoint: string, order: (fd: number) => unknown): Promise<boolean> {
  const fd = openSync(mountPoint, 'r');
  try {
    await order(fd);
    return true;
  } catch (error) {
    if (hasCode(error, 'EBUSY', 'EINVAL', 'EOPNOTSUPP', 'ENOTSUP')) return false;
    throw error;
  } finally {
    closeSync(fd);
  }
}
