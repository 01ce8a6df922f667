import type { CgroupResources } from '../resources.ts';
import type { Controller, FileWrite } from './controller.ts';

const lists = ({ cpusetCpus, cpusetMems }: CgroupResources): FileWrite[] => [
  ...(cpusetCpus === undefined ? [] : [['cpuset.cpus', cpusetCpus] as FileWrite]),
  ...(cpusetMems === undefined ? [] : [['cpuset.mems', cpusetMems] as FileWrite]),
];

/** cpuset: which processors and memory nodes. */
export const cpuset: Controller = { name: 'cpuset', v1: lists, v2: lists };
