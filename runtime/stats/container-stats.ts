import { join } from 'node:path';
import { nowNs } from '../clock.ts';
import type { ContainerRecord } from '../containers/record.ts';
import type { ContainerStats, CpuUsage, MemoryUsage, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { cpuRate } from './cpu-rate.ts';
import { layerUsage } from './layer-usage.ts';

/** What a container uses. A container that does not run uses only its writable layer. */
export async function containerStats(
  runtime: Runtime,
  container: ContainerRecord,
): Promise<Sent<ContainerStats>> {
  const { id, config, cgroupPath, exit, start } = container;
  const { metadata, labels, annotations } = config;
  const timestamp = nowNs();
  const layer = join(runtime.containers.directoryOf(id), 'rootfs', 'upper');
  const { bytes, inodes } = await layerUsage(layer);
  const running = start !== null && exit === null;
  return {
    attributes: { id, metadata, labels, annotations },
    writableLayer: {
      timestamp,
      fsId: { mountpoint: join(runtime.images.dir, 'trees') },
      usedBytes: { value: bytes },
      inodesUsed: { value: inodes },
    },
    ...(running ? cgroupStats(runtime, cgroupPath, container.resources?.memoryLimitInBytes ?? 0) : {}),
  };
}

/** CPU and memory of a cgroup. `memoryLimitBytes` 0 is none. */
export function cgroupStats(
  runtime: Runtime,
  path: string,
  memoryLimitBytes = 0,
): { cpu: Sent<CpuUsage>; memory: Sent<MemoryUsage>; processes: number } {
  const stats = runtime.cgroups.statsOf(path);
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
