import { type CgroupDirectory, type Controller, orNoLimit, readValue, writeValue } from './controller.ts';

/** How many processes and threads there may be: pids.max, the same in both versions. */
export const pids: Controller = {
  name: 'pids',
  apply(directory, { pidsLimit }) {
    if (pidsLimit !== undefined) writeValue(directory, 'pids.max', orNoLimit(pidsLimit, 'max'));
  },
};

/** Processes and threads in the cgroup and below. */
export function processCount(directory: CgroupDirectory): number {
  return Number(readValue(directory, 'pids.current'));
}
