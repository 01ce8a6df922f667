import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupResources } from '../resources.ts';
import {
  type CgroupDirectory,
  type Controller,
  keyedNumber,
  orNoLimit,
  readValue,
  writeValue,
} from './controller.ts';

/** Memory and swap limits: memory.limit_in_bytes and memory.memsw.limit_in_bytes, or memory.max and memory.swap.max. */
export const memory: Controller = {
  name: 'memory',
  apply(directory, resources) {
    if (directory.version === 2) applyUnified(directory, resources);
    else applyLegacy(directory, resources);
  },
};

function applyUnified(
  directory: CgroupDirectory,
  { memoryLimitBytes, memorySwapLimitBytes }: CgroupResources,
): void {
  if (memoryLimitBytes !== undefined) writeValue(directory, 'memory.max', orNoLimit(memoryLimitBytes, 'max'));
  if (memorySwapLimitBytes === undefined || !existsSync(join(directory.path, 'memory.swap.max'))) return;
  const swap =
    memorySwapLimitBytes <= 0 ? 'max' : String(Math.max(0, memorySwapLimitBytes - (memoryLimitBytes ?? 0)));
  writeValue(directory, 'memory.swap.max', swap);
}

// v1 counts swap together with memory, and refuses a sum below the memory limit at every step.
function applyLegacy(
  directory: CgroupDirectory,
  { memoryLimitBytes, memorySwapLimitBytes }: CgroupResources,
): void {
  const writes: [string, number][] = [];
  if (memoryLimitBytes !== undefined) writes.push(['memory.limit_in_bytes', memoryLimitBytes]);
  const sum = 'memory.memsw.limit_in_bytes';
  if (memorySwapLimitBytes !== undefined && existsSync(join(directory.path, sum))) {
    writes.push([sum, memorySwapLimitBytes]);
    if (grows(readValue(directory, sum), memorySwapLimitBytes)) writes.reverse();
  }
  for (const [file, bytes] of writes) writeValue(directory, file, orNoLimit(bytes, '-1'));
}

const grows = (now: string, then: number): boolean => then <= 0 || then > Number(now);

/** Memory of a cgroup as the kubelet reports it (cAdvisor): bytes, and page faults since the beginning. */
export interface MemoryStats {
  memoryUsageBytes: number;
  /** Usage without the file cache that could be dropped at once. */
  memoryWorkingSetBytes: number;
  rssBytes: number;
  pageFaults: number;
  majorPageFaults: number;
  swapUsageBytes: number;
  /** Undefined: no limit. */
  memoryLimitBytes: number | undefined;
}

/** Reads memory usage. Throws ENOENT when the cgroup is gone. */
export function memoryStats(directory: CgroupDirectory): MemoryStats {
  const unified = directory.version === 2;
  const stat = readValue(directory, 'memory.stat');
  const number = (v2: string, v1: string) => keyedNumber(stat, unified ? v2 : v1);
  const usage = Number(readValue(directory, unified ? 'memory.current' : 'memory.usage_in_bytes'));
  return {
    memoryUsageBytes: usage,
    memoryWorkingSetBytes: Math.max(0, usage - number('inactive_file', 'total_inactive_file')),
    rssBytes: number('anon', 'total_rss'),
    pageFaults: number('pgfault', 'total_pgfault'),
    majorPageFaults: number('pgmajfault', 'total_pgmajfault'),
    swapUsageBytes: unified ? swapCurrent(directory) : keyedNumber(stat, 'total_swap'),
    memoryLimitBytes: limitOf(readValue(directory, unified ? 'memory.max' : 'memory.limit_in_bytes')),
  };
}

const swapCurrent = (directory: CgroupDirectory): number =>
  existsSync(join(directory.path, 'memory.swap.current'))
    ? Number(readValue(directory, 'memory.swap.current'))
    : 0;

/** v1 says "no limit" by a number near 2^63, rounded down to pages. */
const limitOf = (text: string): number | undefined =>
  text === 'max' || Number(text) > 2 ** 62 ? undefined : Number(text);

/** The file with the line `oom_kill N`: how often the kernel killed in this cgroup for lack of memory. */
export const oomFile = ({ version, path }: Pick<CgroupDirectory, 'version' | 'path'>): string =>
  join(path, version === 2 ? 'memory.events' : 'memory.oom_control');
