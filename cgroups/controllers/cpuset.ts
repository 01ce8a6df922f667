import { dirname } from 'node:path';
import { type CgroupDirectory, type Controller, readValue, writeValue } from './controller.ts';

/** Which CPUs and memory nodes may be used. */
export const cpuset: Controller = {
  name: 'cpuset',
  /** A new v1 cpuset is empty, and takes no process until it has its parent's (cpusets(7)). */
  prepare(directory) {
    if (directory.version === 2) return;
    for (const file of ['cpuset.cpus', 'cpuset.mems']) {
      if (readValue(directory, file) !== '') continue;
      const parent = readValue({ path: dirname(directory.path) }, file);
      if (parent !== '') writeValue(directory, file, parent);
    }
  },
  apply(directory, { cpusetCpus, cpusetMems }) {
    writeList(directory, 'cpuset.cpus', cpusetCpus);
    writeList(directory, 'cpuset.mems', cpusetMems);
  },
};

function writeList(directory: CgroupDirectory, file: string, list: string | undefined): void {
  if (list !== undefined && list !== '') writeValue(directory, file, list);
}
