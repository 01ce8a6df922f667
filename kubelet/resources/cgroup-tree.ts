import type { CgroupTree } from './pod-cgroups.ts';

/** No cgroups at all: for a kubelet in a test. */
export const noCgroups: CgroupTree = {
  createCgroup: () => undefined,
  updateCgroup: () => undefined,
  removeCgroup: () => undefined,
  exists: () => true,
  children: () => [],
};

export const openCgroupTree = (): CgroupTree => noCgroups;
