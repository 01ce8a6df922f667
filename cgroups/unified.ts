import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../linux/system-error.ts';
import { type CgroupDirectory, readValue, writeValue } from './controllers/controller.ts';

/** The controllers that are switched on for children by a file. CPU time is always counted; devices need no switch. */
const delegated = ['cpu', 'cpuset', 'memory', 'pids', 'hugetlb'];

/**
 * Hands a v2 cgroup's controllers on to its children (cgroup.subtree_control). Done for every cgroup above a new one, from the top:
 * a child has only what its parent hands on. It fails where the cgroup has processes of its own (EBUSY, the "no internal processes"
 * rule), which never is the case in Podwright's own tree.
 */
export function delegateControllers(directory: CgroupDirectory): void {
  const file = 'cgroup.subtree_control';
  if (!existsSync(join(directory.path, file))) return;
  const available = readValue(directory, 'cgroup.controllers').split(' ');
  const handedOn = readValue(directory, file).split(' ');
  const missing = delegated.filter((name) => available.includes(name) && !handedOn.includes(name));
  if (missing.length === 0) return;
  try {
    writeValue(directory, file, missing.map((name) => `+${name}`).join(' '));
  } catch {
    for (const name of missing) delegateOne(directory, name); // one that is refused must not keep the others
  }
}

function delegateOne(directory: CgroupDirectory, name: string): void {
  try {
    writeValue(directory, 'cgroup.subtree_control', `+${name}`);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV')) throw error; // the cgroup itself is gone
    directory.warn(`cgroup controller ${name} is not available: ${(error as Error).message}`);
  }
}
