import type { CgroupEntrance } from '../../cgroups/index.ts';
import type { Plan } from './plan.ts';

const noCgroup: CgroupEntrance = { tasksFiles: [] };

/** Before `fork`: the process and what it forks are in the cgroup; on v2 only what it forks. */
export function planEntrance(plan: Plan, entrance = noCgroup): void {
  planTasks(plan, entrance);
  planUnified(plan, entrance);
}

/** On v1: the process that does this step is in the cgroup. */
export function planTasks(plan: Plan, { tasksFiles } = noCgroup): void {
  for (const file of tasksFiles) plan.step('write', file, '0');
}

/** On v2, before `fork`: the process that `fork` makes is in the cgroup. Before a cgroup namespace is joined, which hides the cgroup. */
export function planUnified(plan: Plan, { unifiedDirectory } = noCgroup): void {
  if (unifiedDirectory !== undefined) plan.step('cgroup', unifiedDirectory);
}

/**
 * On v2, for a command in a container: where to start when the container's cgroup takes nobody, because it has cgroups of its own below
 * it: with the container's process (as runc's exec does).
 */
export function planTargetCgroup(plan: Plan, pid: number, { unifiedMountPoint } = noCgroup): void {
  if (unifiedMountPoint !== undefined) plan.tolerate('cgroupof', pid, unifiedMountPoint);
}

/** The shim itself goes into a cgroup, before its other steps; where it can't, it stays where it is, with a warning. */
export function planShimEntrance(plan: Plan, entrance = noCgroup): void {
  for (const file of entrance.tasksFiles) plan.tolerate('write', file, '0');
  if (entrance.unifiedDirectory !== undefined) plan.tolerate('move', entrance.unifiedDirectory);
}
