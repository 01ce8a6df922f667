import { join } from 'node:path';
import { readGroupFile } from './group-files.ts';
import type { Hierarchy } from './hierarchies.ts';
import type { CgroupStats } from './resources.ts';

type Find = (controller: string) => Hierarchy | undefined;

/** Reads what the cgroup at `path` uses; what its host does not count is missing. */
export function readStats(find: Find, path: string): CgroupStats {
  return { ...cpuStats(find, path), ...memoryStats(find('memory'), path), ...pidStats(find('pids'), path) };
}

function cpuStats(find: Find, path: string): CgroupStats {
  const unified = find('cpu');
  if (unified?.version === 2) {
    const usageUs = flatKeyed(readGroupFile(join(unified.root, path), 'cpu.stat'))['usage_usec'];
    return usageUs === undefined ? {} : { cpuUsageNs: usageUs * 1000 };
  }
  const accounting = find('cpuacct');
  const text =
    accounting === undefined ? undefined : readGroupFile(join(accounting.root, path), 'cpuacct.usage');
  return text === undefined ? {} : { cpuUsageNs: Number(text) };
}

function memoryStats(hierarchy: Hierarchy | undefined, path: string): CgroupStats {
  if (hierarchy === undefined) return {};
  const directory = join(hierarchy.root, path);
  const v2 = hierarchy.version === 2;
  const usage = readGroupFile(directory, v2 ? 'memory.current' : 'memory.usage_in_bytes');
  if (usage === undefined) return {};
  const stat = flatKeyed(readGroupFile(directory, 'memory.stat'));
  const prefix = v2 ? '' : 'total_';
  const inactiveFile = stat[`${prefix}inactive_file`] ?? 0;
  return {
    memoryUsageBytes: Number(usage),
    memoryWorkingSetBytes: Math.max(0, Number(usage) - inactiveFile),
    rssBytes: stat[v2 ? 'anon' : 'total_rss'] ?? 0,
    pageFaults: stat[`${prefix}pgfault`] ?? 0,
    majorPageFaults: stat[`${prefix}pgmajfault`] ?? 0,
  };
}

function pidStats(hierarchy: Hierarchy | undefined, path: string): CgroupStats {
  const text =
    hierarchy === undefined ? undefined : readGroupFile(join(hierarchy.root, path), 'pids.current');
  return text === undefined ? {} : { pids: Number(text) };
}

/** Lines of `key value`. */
export const flatKeyed = (text = ''): Record<string, number | undefined> =>
  Object.fromEntries(
    text.split('\n').map((line) => {
      const [key = '', value] = line.split(' ');
      return [key, Number(value)];
    }),
  );
