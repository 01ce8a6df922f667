import type { CgroupResources } from '../resources.ts';

/** A file of a cgroup and what to write into it. */
export type FileWrite = [file: string, value: string];

/** How the limits of one controller are written, in each version of cgroups. */
export interface Controller {
  /** As in /proc/cgroups and cgroup.controllers. */
  name: string;
  v1(resources: CgroupResources): FileWrite[];
  v2(resources: CgroupResources): FileWrite[];
}
