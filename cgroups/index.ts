export { openCgroups } from './cgroups.ts';
export type { Cgroups, CgroupsOptions } from './cgroups.ts';
export type { CgroupResources, CgroupStats, DeviceRule } from './resources.ts';
