import { join, relative } from 'node:path';
import { type MountInfo, readMountInfo } from '../linux/mount-info.ts';

/**
 * The topmost mount at a folder (a real path), when it is that folder bound on itself, as mountOnItself() makes it: the same file system
 * and the same directory of it as are below. Undefined for a disk that somebody mounted there, which is not ours to unmount.
 */
export function ownMountAt(folder: string, mounts: MountInfo[] = readMountInfo()): MountInfo | undefined {
  const top = mounts.findLast(({ mountPoint }) => mountPoint === folder);
  const below = mounts.find(({ id }) => id === top?.parentId);
  if (top === undefined || below === undefined) return undefined;
  const isSame =
    top.major === below.major &&
    top.minor === below.minor &&
    top.root === join(below.root, relative(below.mountPoint, folder));
  return isSame ? top : undefined;
}
