import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../linux/system-error.ts';
import type { Hierarchy } from './hierarchies.ts';

/** Makes the directories of a cgroup from the root down, each ready for children and processes. */
export function makeGroup(hierarchy: Hierarchy, path: string): void {
  let directory = hierarchy.root;
  for (const name of path.split('/').filter(Boolean)) {
    if (hierarchy.version === 2) enableControllers(hierarchy, directory);
    const child = join(directory, name);
    if (!existsSync(child)) {
      mkdirSync(child, { recursive: true });
      if (hierarchy.controllers.has('cpuset') && hierarchy.version === 1) inheritCpuset(directory, child);
    }
    directory = child;
  }
}

/** v2: a child has only the controllers that its parent passes on. One that can't be passed on stays missing. */
function enableControllers({ controllers }: Hierarchy, directory: string): void {
  const file = join(directory, 'cgroup.subtree_control');
  const enabled = new Set(readFileSync(file, 'utf8').split(/\s+/));
  for (const name of controllers) {
    if (enabled.has(name)) continue;
    try {
      writeFileSync(file, `+${name}`);
    } catch (error) {
      // EBUSY: processes are in the group itself; ENOENT, EOPNOTSUPP: the kernel does not offer it here (cgroups-v2.rst).
      if (!hasCode(error, 'EBUSY', 'ENOENT', 'EOPNOTSUPP', 'EINVAL', 'EACCES', 'EPERM')) throw error;
    }
  }
}

/** v1: a new cpuset is empty, and nothing can join it before it has processors and memory nodes (cpusets.txt). */
function inheritCpuset(parent: string, child: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readFileSync(join(child, file), 'utf8').trim() !== '') continue;
    writeFileSync(join(child, file), readFileSync(join(parent, file), 'utf8').trim());
  }
}

/** Names of the groups right below. */
export function childrenOf(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}

/** The text of a file of a cgroup, trimmed; undefined when the file or the group is not there. */
export function readGroupFile(directory: string, file: string): string | undefined {
  try {
    return readFileSync(join(directory, file), 'utf8').trim();
  } catch (error) {
    // ENODEV: the group was removed while the file was open.
    if (hasCode(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}
