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

const pluginFolder = '/plugins/kubernetes.io/';
const podVolume = /\/pods\/[^/]+\/(volumes|volume-subpaths)\//;

/**
 * The references that forbid to unmount a device's path below `rootDir`: all but those that other kubelets of this machine have for
 * their own nodes, where a disk may be read at the same time. Upstream's HasMountRefs leaves out the same path below
 * plugins/kubernetes.io/ of another root; their Pods' volumes are left out too, which upstream can't see.
 */
export const referencesInTheWay = (path: string, rootDir: string, mounts = readMountInfo()): string[] => {
  const start = path.indexOf(pluginFolder);
  const ending = start < 0 ? path : path.slice(start);
  const isOurs = (reference: string) => reference.startsWith(rootDir.replace(/\/?$/, '/'));
  return mountReferences(path, mounts).filter(
    (reference) => !reference.includes(ending) && (isOurs(reference) || !podVolume.test(reference)),
  );
};
