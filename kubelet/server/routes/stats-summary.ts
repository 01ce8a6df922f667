import { diskUsageOfFilesIn, totalOf } from '../../../linux/disk-usage.ts';
import type { DiskUsage } from '../../../linux/disk-usage.ts';
import type * as cri from '../../../runtime/cri/types.ts';
import { labelNames } from '../../containers/labels.ts';
import { containerLogFolder } from '../../containers/log-paths.ts';
import { isOnDisk } from '../../eviction/local-storage-limits.ts';
import { podFilesUsage } from '../../eviction/local-storage-usage.ts';
import type { VolumeStats } from '../../volumes/stats.ts';
import type { RouteRequest } from '../server.ts';
import { diskUse, machineUse, podUses } from '../stats.ts';
import type { PodUse } from '../stats.ts';

/** The summary that `kubectl top` and autoscalers are made from (upstream: stats/v1alpha1). */
export async function statsSummary({ options, response }: RouteRequest): Promise<void> {
  const [uses, fs] = await Promise.all([podUses(options), diskUse(options.rootDir)]);
  const machine = machineUse();
  const time = new Date().toISOString();
  const pods = await Promise.all(uses.map((use) => podStats({ options, use, fs })));
  const summary = {
    node: {
      nodeName: options.nodeName,
      startTime: new Date(Date.now() - process.uptime() * 1000).toISOString(),
      cpu: { time, usageCoreNanoSeconds: machine.cpuNanoseconds },
      memory: {
        time,
        availableBytes: machine.memoryAvailableBytes,
        usageBytes: machine.memoryUsageBytes,
        workingSetBytes: machine.memoryWorkingSetBytes,
      },
      fs,
      runtime: { imageFs: fs, containerFs: fs },
    },
    pods,
  };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(summary));
}

type FileSystem = Awaited<ReturnType<typeof diskUse>>;

interface PodStatsInput {
  options: RouteRequest['options'];
  use: PodUse;
  /** The one that everything of the Pod is on. */
  fs: FileSystem;
}

async function podStats({ options, use, fs }: PodStatsInput) {
  const { stats, containers } = use;
  const metadata = stats.attributes?.metadata;
  const volume = await options.parts.volumes.statsFor(metadata?.uid ?? '').catch(() => []);
  const { logs, all } = await localStorage({ options, use, volume });
  return {
    podRef: {
      name: metadata?.name ?? '',
      namespace: metadata?.namespace ?? '',
      uid: metadata?.uid ?? '',
    },
    cpu: cpuStats(stats.linux?.cpu),
    memory: memoryStats(stats.linux?.memory),
    network: networkStats(stats.linux?.network),
    process_stats: { process_count: stats.linux?.process?.processCount?.value ?? 0 },
    containers: containers.map((one, index) => {
      const { usedBytes, inodes } = layerUsage(one);
      return {
        name: nameOf(one),
        cpu: cpuStats(one.cpu),
        memory: memoryStats(one.memory),
        rootfs: { time: timeOf(one.writableLayer?.timestamp), usedBytes, inodesUsed: inodes },
        logs: fileStats(fs, logs[index]),
      };
    }),
    volume,
    'ephemeral-storage': fileStats(fs, all),
  };
}

/** The logs of each container, and all that the Pod has on the node's disk, as the eviction manager counts it. */
async function localStorage({
  options: { parts },
  use: { stats, containers },
  volume,
}: Pick<PodStatsInput, 'options' | 'use'> & { volume: VolumeStats[] }) {
  const pod = parts.directory.get(stats.attributes?.metadata?.uid ?? '');
  if (pod === undefined) return { logs: [], all: nothing };
  const { folders } = parts.context;
  const [podFiles, ...logs] = await Promise.all([
    podFilesUsage(folders, pod),
    ...containers.map((one) => diskUsageOfFilesIn(containerLogFolder(folders.logs, pod, nameOf(one)))),
  ]);
  const onDisk = new Set((pod.spec.volumes ?? []).filter(isOnDisk).map(({ name }) => name));
  const emptyDirs = volume
    .filter(({ name }) => onDisk.has(name))
    .map(({ usedBytes, inodesUsed }) => ({ usedBytes, inodes: inodesUsed }));
  return { logs, all: totalOf([podFiles, ...logs, ...emptyDirs, ...containers.map(layerUsage)]) };
}

const nothing: DiskUsage = { usedBytes: 0, inodes: 0 };

const nameOf = ({ attributes }: cri.ContainerStats): string =>
  attributes?.labels[labelNames.containerName] ?? attributes?.metadata?.name ?? '';

const layerUsage = ({ writableLayer }: cri.ContainerStats): DiskUsage => ({
  usedBytes: writableLayer?.usedBytes?.value ?? 0,
  inodes: writableLayer?.inodesUsed?.value ?? 0,
});

/** A part of what is on a file system. */
const fileStats = (fs: FileSystem, { usedBytes, inodes } = nothing) => ({
  ...fs,
  usedBytes,
  inodesUsed: inodes,
});

const timeOf = (nanoseconds: number | undefined): string =>
  new Date((nanoseconds ?? Date.now() * 1e6) / 1e6).toISOString();

const cpuStats = (cpu: cri.CpuUsage | null | undefined) => ({
  time: timeOf(cpu?.timestamp),
  usageNanoCores: cpu?.usageNanoCores?.value ?? 0,
  usageCoreNanoSeconds: cpu?.usageCoreNanoSeconds?.value ?? 0,
});

const memoryStats = (memory: cri.MemoryUsage | null | undefined) => ({
  time: timeOf(memory?.timestamp),
  usageBytes: memory?.usageBytes?.value ?? 0,
  workingSetBytes: memory?.workingSetBytes?.value ?? 0,
  rssBytes: memory?.rssBytes?.value ?? 0,
  pageFaults: memory?.pageFaults?.value ?? 0,
  majorPageFaults: memory?.majorPageFaults?.value ?? 0,
});

function networkStats(network: cri.NetworkUsage | null | undefined) {
  const face = network?.defaultInterface;
  return {
    time: timeOf(network?.timestamp),
    name: face?.name ?? 'eth0',
    rxBytes: face?.rxBytes?.value ?? 0,
    rxErrors: face?.rxErrors?.value ?? 0,
    txBytes: face?.txBytes?.value ?? 0,
    txErrors: face?.txErrors?.value ?? 0,
  };
}
