import { blockDeviceNumber } from '../../../../linux/block-device.ts';
import { readMountInfo } from '../../../../linux/mount-info.ts';
import type { MountInfo } from '../../../../linux/mount-info.ts';

/** The mounts of a device's file system, in this mount namespace. */
export function mountsOfDevice(device: string): MountInfo[] {
  const number = blockDeviceNumber(device);
  return readMountInfo().filter(({ major, minor }) => major === number?.major && minor === number.minor);
}

/**
 * The bind mounts of a device's node: how a block volume is published. The node is a file of devtmpfs (or of another
 * /dev).
 */
export function mountsOfDeviceNode(device: string): MountInfo[] {
  const name = device.replace('/dev/', '/');
  return readMountInfo().filter(
    ({ root, type }) => root === name && (type === 'devtmpfs' || type === 'tmpfs'),
  );
}

export const isReadOnly = (mount: MountInfo): boolean =>
  mount.options.includes('ro') || mount.superOptions.includes('ro');
