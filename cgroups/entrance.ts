import { join } from 'node:path';
import type { CgroupDirectory } from './controllers/controller.ts';

/**
 * How a process that is being started gets into a cgroup. A pid written to cgroup.procs takes a lock over all threads of the machine
 * (cgroup_threadgroup_rwsem), for which the kernel waits an RCU grace period, 6 to 10 ms, and every other cgroup operation waits with
 * it. Two ways do without (kernel/cgroup/cgroup.c, cgroup_procs_write_start() and cgroup_css_set_fork()): on v1 a thread that moves
 * itself, on v2 a process that is born in its cgroup.
 */
export interface CgroupEntrance {
  /** v1: the process itself writes 0 into each, while it has one thread only. */
  tasksFiles: string[];
  /** v2: the directory that clone3(2) with CLONE_INTO_CGROUP takes (Linux 5.7). */
  unifiedDirectory?: string;
  /** v2: where the hierarchy is mounted, below which /proc/PID/cgroup tells where a process is. */
  unifiedMountPoint?: string;
}

/** The entrance of a cgroup, given its directory in each hierarchy and where that of v2 is mounted. */
export function entranceOf(directories: CgroupDirectory[], mountPoint: string | undefined): CgroupEntrance {
  const tasksFiles = directories
    .filter(({ version }) => version === 1)
    .map(({ path }) => join(path, 'tasks'));
  const unified = directories.find(({ version }) => version === 2);
  if (unified === undefined || mountPoint === undefined) return { tasksFiles };
  return { tasksFiles, unifiedDirectory: unified.path, unifiedMountPoint: mountPoint };
}
