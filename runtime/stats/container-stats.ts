import { join } from 'node:path';
import type { CgroupStats } from '../../cgroups/index.ts';
import { hasCode } from '../../linux/system-error.ts';
import { nowNs } from '../clock.ts';
import type { ContainerRecord } from '../containers/record.ts';
import { stateOf } from '../containers/record.ts';
import type { ContainerStats, CpuUsage, MemoryUsage, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { cpuRate } from './cpu-rate.ts';
import { layerUsage } from './layer-usage.ts';

/** What a container uses. A container that does not run, or has ended while its layer was measured, uses only that. */
export async function containerStats(
  runtime: Runtime,
  container: ContainerRecord,
): Promise<Sent<ContainerStats>> {
  const { id, config, cgroupPath, resources } = container;
  const { metadata, labels, annotations } = config;
  const timestamp = nowNs();
  const layer = join(runtime.containers.directoryOf(id), 'rootfs', 'upper');
  const { usedBytes, inodes } = await layerUsage(layer);
  const now = runtime.containers.find(id);
  const running = now !== undefined && stateOf(now) === 'CONTAINER_RUNNING';
  return {
    attributes: { id, metadata, labels, annotations },
    writableLayer: {
      timestamp,
      fsId: { mountpoint: join(runtime.images.dir, 'trees') },
      usedBytes: { value: usedBytes },
      inodesUsed: { value: inodes },
    },
    ...(running ? cgroupStats(runtime, cgroupPath, resources?.memoryLimitInBytes ?? 0) : undefined),
  };
}

interface CgroupUsage {
  cpu: Sent<CpuUsage>;
  memory: Sent<MemoryUsage>;
  processes: number;
}

/** CPU and memory of a cgroup, undefined when it is gone. `memoryLimitBytes` 0 is none. */
export function cgroupStats(runtime: Runtime, path: string, memoryLimitBytes = 0): CgroupUsage | undefined {
  const stats = statsIfThere(runtime, path);
  if (stats === undefined) return undefined;
  const timestamp = nowNs();
  const value = (number: number | undefined) => ({ value: Math.max(0, Math.round(number ?? 0)) });
  const workingSet = stats.memoryWorkingSetBytes ?? 0;
  return {
    cpu: {
      timestamp,
      usageCoreNanoSeconds: value(stats.cpuUsageNs),
      usageNanoCores: value(cpuRate(path, stats.cpuUsageNs ?? 0, timestamp)),
    },
    memory: {
      timestamp,
      workingSetBytes: value(workingSet),
      availableBytes: value(memoryLimitBytes > 0 ? memoryLimitBytes - workingSet : 0),
      usageBytes: value(stats.memoryUsageBytes),
      rssBytes: value(stats.rssBytes),
      pageFaults: value(stats.pageFaults),
      majorPageFaults: value(stats.majorPageFaults),
    },
    processes: stats.pids ?? 0,
  };
}

function statsIfThere({ cgroups }: Runtime, path: string): CgroupStats | undefined {
  try {
    return cgroups.statsOf(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}
