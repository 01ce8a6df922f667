import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Hierarchy } from './hierarchy.ts';

/**
 * Begins the wait that a move between cgroups costs. A write to cgroup.procs takes a lock over all threads of the machine
 * (cgroup_threadgroup_rwsem), for which the kernel waits an RCU grace period, 10 ms and more; a write within some milliseconds after
 * another one does not (kernel/rcu/sync.c). So this process is "moved" to where it is, on another thread, while a container is
 * still being prepared. When it fails nothing is lost but time.
 */
export function expectMove(hierarchies: Hierarchy[]): void {
  const [hierarchy] = hierarchies;
  if (hierarchy === undefined) return;
  const file = join(hierarchy.mountPoint, ownPath(hierarchy), 'cgroup.procs');
  writeFile(file, String(process.pid), { flag: 'r+' }).catch(() => undefined);
}

/** Where this process is: lines `ID:CONTROLLERS:PATH` (cgroups(7)); the unified hierarchy names no controllers. */
function ownPath({ version, controllers }: Hierarchy): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').split('\n');
  const own = lines
    .map((line) => line.split(':'))
    .find(([, names = '']) =>
      version === 2 ? names === '' : names.split(',').some((name) => controllers.includes(name)),
    );
  return own?.slice(2).join(':') ?? '/';
}
