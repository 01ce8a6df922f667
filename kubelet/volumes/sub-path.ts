import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { OpenedPath } from '../../linux/filesystem.ts';
import { isMountPoint } from '../../linux/mount-info.ts';
import { bindMount, unmount } from '../../linux/mount.ts';
import { hasCode } from '../../linux/system-error.ts';
import { makeDirectoryInside } from './make-directory-inside.ts';
import { openBeneath } from './open-beneath.ts';
import { subPathsDirectory } from './paths.ts';

export interface SubPathOptions {
  /** `pods/<uid>`. */
  podDir: string;
  volumeName: string;
  /** The volume's path on this node. */
  volumePath: string;
  containerName: string;
  /** The mount's place among the container's volumeMounts. */
  index: number;
  /** Relative, without `..`. */
  subPath: string;
}

/** The directory of a sub path isn't there and can't be made. */
export class SubPathDirectoryError extends Error {
  override readonly name = 'SubPathDirectoryError';
}

/**
 * Makes a path in a volume mountable into a container and returns where it stands:
 * `pods/<uid>/volume-subpaths/<volume>/<container>/<index>`, a bind mount of the very file or directory that was checked.
 *
 * A container of the Pod may be renaming directories and planting links in the volume at the same moment. So the path is
 * resolved by the kernel, inside the volume (open-beneath.ts), and what is mounted is the open file, not
 * the path (CVE-2017-1002101, CVE-2021-25741). Missing directories are made with the volume's own permissions.
 * Throws SystemError, EXDEV for a path that leads out, or SubPathDirectoryError.
 */
export const prepareSubPath = (options: SubPathOptions): string => {
  using source = openOrMake(options);
  const target = targetOf(options);
  if (isMountPoint(target)) {
    if (isSameFile(source.path, target)) return target;
    // A file that the atomic writer has replaced since the container began.
    unmount(target);
  }
  makeMountPoint(target, statSync(source.path).isDirectory());
  bindMount({ source: source.path, target });
  return target;
};

const openOrMake = ({ volumePath, subPath }: SubPathOptions): OpenedPath => {
  try {
    return openBeneath({ root: volumePath, path: subPath });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  // With the setgid bit, so that what is made in a volume of an fsGroup belongs to the group, and the sticky bit of a tmpfs.
  const mode = statSync(volumePath).mode & 0o7777;
  try {
    return makeDirectoryInside({ root: volumePath, path: subPath, mode });
  } catch (error) {
    throw new SubPathDirectoryError(`can't make ${subPath} in ${volumePath}`, { cause: error });
  }
};

const targetOf = ({ podDir, volumeName, containerName, index }: SubPathOptions): string =>
  join(subPathsDirectory(podDir), volumeName, containerName, String(index));

const isSameFile = (left: string, right: string): boolean => {
  const [a, b] = [statSync(left), statSync(right)];
  return a.dev === b.dev && a.ino === b.ino;
};

const makeMountPoint = (target: string, isDirectory: boolean): void => {
  mkdirSync(dirname(target), { recursive: true, mode: 0o750 });
  const there = statSync(target, { throwIfNoEntry: false });
  if (there !== undefined && there.isDirectory() === isDirectory) return;
  if (there !== undefined) throw new Error(`${target} is in the way`);
  if (isDirectory) mkdirSync(target, { mode: 0o750 });
  else writeFileSync(target, '', { mode: 0o640, flag: 'wx' });
};
