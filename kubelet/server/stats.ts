import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import type * as cri from '../../runtime/cri/types.ts';
import type { KubeletServerOptions } from './server.ts';

/** One Pod's use of the machine, as the runtime says. */
export interface PodUse {
  stats: cri.PodSandboxStats;
  containers: cri.ContainerStats[];
}

export async function podUses({ cri: client }: KubeletServerOptions): Promise<PodUse[]> {
  const [{ stats: pods }, { stats: containers }] = await Promise.all([
    client.call('ListPodSandboxStats', {}),
    client.call('ListContainerStats', {}),
  ]);
  const uid = 'io.kubernetes.pod.uid';
  return pods.map((stats) => ({
    stats,
    containers: containers.filter(
      ({ attributes }) => attributes?.labels[uid] === stats.attributes?.metadata?.uid,
    ),
  }));
}

/** Milliseconds and bytes of the whole machine since it was started. */
export interface MachineUse {
  cpuNanoseconds: number;
  memoryUsageBytes: number;
  memoryWorkingSetBytes: number;
  memoryAvailableBytes: number;
}

export function machineUse(): MachineUse {
  const ticks = /^cpu\s+(.*)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]?.split(/\s+/).map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks;
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  const total = bytes('MemTotal');
  return {
    // USER_HZ is 100 on every Linux that Node.js runs on.
    cpuNanoseconds: (user + nice + system + irq + softirq + steal) * 1e7,
    memoryUsageBytes: total - bytes('MemFree'),
    memoryWorkingSetBytes: total - bytes('MemAvailable'),
    memoryAvailableBytes: bytes('MemAvailable'),
  };
}

export async function diskUse(path: string) {
  const { bsize, blocks, bavail, bfree, files, ffree } = await statfs(path);
  return {
    time: new Date().toISOString(),
    availableBytes: bavail * bsize,
    capacityBytes: blocks * bsize,
    usedBytes: (blocks - bfree) * bsize,
    inodesFree: ffree,
    inodes: files,
    inodesUsed: files - ffree,
  };
}
