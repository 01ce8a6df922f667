import { readMountInfo } from '../../../linux/mount-info.ts';

/**
 * The other places where what is mounted at `path` is mounted too: bind mounts of it or of something in it. Empty when nothing is
 * mounted there. Those in containers are not seen: they have a mount namespace of their own.
 */
export const mountReferences = (path: string, mounts = readMountInfo()): string[] => {
  const own = mounts.findLast(({ mountPoint }) => mountPoint === path);
  if (own === undefined) return [];
  const isInside = (root: string) => root === own.root || root.startsWith(own.root.replace(/\/?$/, '/'));
  return mounts
    .filter(({ major, minor, root, mountPoint }) => {
      const sameFileSystem = major === own.major && minor === own.minor;
      return sameFileSystem && isInside(root) && mountPoint !== path;
    })
    .map(({ mountPoint }) => mountPoint);
};
