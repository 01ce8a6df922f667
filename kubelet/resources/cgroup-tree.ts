import { openCgroups } from '../../cgroups/index.ts';
import type { CgroupTree } from './pod-cgroups.ts';

/** The host's cgroups. */
export const openCgroupTree = (): CgroupTree => openCgroups();

/** No cgroups at all: for a kubelet in a test. */
export const noCgroups: CgroupTree = {
  createCgroup: () => undefined,
  updateCgroup: () => undefined,
  removeCgroup: () => undefined,
  exists: () => true,
  children: () => [],
};
