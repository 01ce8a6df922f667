import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { readMountInfo, type MountInfo } from '../linux/mount-info.ts';

/** One tree of cgroups: all controllers of a v2 host, or those that a v1 tree has. */
export interface Hierarchy {
  version: 1 | 2;
  /** Where it is mounted. */
  root: string;
  /** Names of its controllers; empty for a tree that only groups processes. */
  controllers: Set<string>;
}

/**
 * The trees that are mounted below `root` (cgroups(7)): v1 ones, the v2 one, or both on a hybrid host, where a controller is in
 * exactly one of them. Trees that belong to somebody by name (systemd's) are left alone.
 */
export function findHierarchies(root: string, mounts: MountInfo[] = readMountInfo()): Hierarchy[] {
  const below = mounts.filter(({ mountPoint }) => mountPoint === root || mountPoint.startsWith(`${root}/`));
  return below.flatMap((mount) => {
    if (mount.type === 'cgroup2') return [unifiedHierarchy(mount.mountPoint)];
    if (mount.type !== 'cgroup' || mount.superOptions.includes('name=')) return [];
    return [{ version: 1 as const, root: mount.mountPoint, controllers: controllersOf(mount) }];
  });
}

/** A v2 tree with the controllers that its root offers. */
export function unifiedHierarchy(root: string): Hierarchy {
  const file = join(root, 'cgroup.controllers');
  const names = existsSync(file) ? readFileSync(file, 'utf8').split(/\s+/).filter(Boolean) : [];
  return { version: 2, root, controllers: new Set(names) };
}

/** The super block's options hold the controllers beside rw and the like. */
function controllersOf({ superOptions, mountPoint }: MountInfo): Set<string> {
  const known = new Set(['rw', 'ro', 'xattr', 'clone_children', 'noprefix']);
  const options = superOptions.split(',').filter((option) => !known.has(option) && !option.includes('='));
  return new Set(options.length > 0 ? options : [basename(mountPoint)]);
}
