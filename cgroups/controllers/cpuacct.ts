import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupDirectory, type Controller, keyedNumber, readValue } from './controller.ts';

/** CPU time used: nothing to set. */
export const cpuacct: Controller = { name: 'cpuacct', apply: () => undefined };

/** CPU time of all the processes that were ever in the cgroup, in nanoseconds. */
export function cpuUsageNs(directory: CgroupDirectory): number {
  if (directory.version === 1) return Number(readValue(directory, 'cpuacct.usage'));
  return existsSync(join(directory.path, 'cpu.stat'))
    ? keyedNumber(readValue(directory, 'cpu.stat'), 'usage_usec') * 1000
    : 0;
}
