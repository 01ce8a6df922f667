import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readMountInfo, type MountInfo } from '../linux/mount-info.ts';

/** One mounted hierarchy: the unified one (v2), or one of v1 with its controllers. */
export interface Hierarchy {
  version: 1 | 2;
  mountPoint: string;
  controllers: string[];
}

/** The controllers that Podwright uses. Others may be mounted, and are left alone. */
const usedControllers = ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids', 'hugetlb', 'devices', 'freezer'];

/**
 * The hierarchies below `root` with a controller to use. A host is v2 (one hierarchy), v1 (one per controller) or hybrid (v1, and a
 * v2 that has no controllers, or a few): what is mounted decides, controller by controller. Those of v1 come first, for they alone
 * do what v2 has built in.
 */
export function detectHierarchies(root: string, mounts: MountInfo[] = readMountInfo()): Hierarchy[] {
  return mounts
    .filter(({ mountPoint }) => mountPoint === root || mountPoint.startsWith(`${root}/`))
    .flatMap((mount): Hierarchy[] => {
      const { type, mountPoint, superOptions } = mount;
      if (type === 'cgroup') return [{ version: 1, mountPoint, controllers: superOptions.filter(isUsed) }];
      if (type === 'cgroup2')
        return [{ version: 2, mountPoint, controllers: unifiedControllers(mountPoint) }];
      return [];
    })
    .filter(({ controllers }) => controllers.length > 0)
    .filter(
      ({ mountPoint }, index, all) => all.findIndex((other) => other.mountPoint === mountPoint) === index,
    )
    .sort((a, b) => a.version - b.version);
}

/** The controllers of a v2 hierarchy. Accounting of CPU time and freezing are built in; devices are restricted by a BPF program. */
function unifiedControllers(mountPoint: string): string[] {
  const file = join(mountPoint, 'cgroup.controllers');
  const listed = existsSync(file) ? readFileSync(file, 'utf8').trim().split(' ').filter(isUsed) : [];
  return listed.length === 0 ? [] : [...listed, 'cpuacct', 'devices', 'freezer'];
}

const isUsed = (name: string): boolean => usedControllers.includes(name);
