export { openCgroups, type Cgroups, type CgroupOptions, type CgroupStats } from './cgroups.ts';
export type { CgroupEntrance } from './entrance.ts';
export { CgroupWriteError } from './controllers/controller.ts';
export { weightOfShares } from './controllers/cpu.ts';
export { detectHierarchies, type Hierarchy } from './hierarchy.ts';
export type { CgroupResources, DeviceRule } from './resources.ts';
