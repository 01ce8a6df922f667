import type * as cri from '../../../runtime/cri/types.ts';
import { labelNames } from '../../containers/labels.ts';
import type { RouteRequest } from '../server.ts';
import { diskUse, machineUse, podUses } from '../stats.ts';
import type { PodUse } from '../stats.ts';

/** The summary that `kubectl top` and autoscalers are made from (upstream: stats/v1alpha1). */
export async function statsSummary({ options, response }: RouteRequest): Promise<void> {
  const [uses, fs] = await Promise.all([podUses(options), diskUse(options.rootDir)]);
  const machine = machineUse();
  const time = new Date().toISOString();
  const pods = await Promise.all(
    uses.map(async (use) => {
      const uid = use.stats.attributes?.metadata?.uid ?? '';
      const volumes = await options.parts.volumes.statsFor(uid).catch(() => []);
      return { ...podStats(use), volume: volumes };
    }),
  );
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

function podStats({ stats, containers }: PodUse) {
  const metadata = stats.attributes?.metadata;
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
    containers: containers.map(({ attributes, cpu, memory, writableLayer }) => ({
      name: attributes?.labels[labelNames.containerName] ?? attributes?.metadata?.name ?? '',
      cpu: cpuStats(cpu),
      memory: memoryStats(memory),
      rootfs: {
        time: timeOf(writableLayer?.timestamp),
        usedBytes: writableLayer?.usedBytes?.value ?? 0,
        inodesUsed: writableLayer?.inodesUsed?.value ?? 0,
      },
    })),
  };
}

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
