import { readFileSync, readdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, release, totalmem } from 'node:os';
import type { NodeSystemInfo } from '../../api/types.ts';
import type { Amounts } from '../resources/amounts.ts';

/** The version of Kubernetes that the kubelet stands for. */
export const kubeletVersion = 'v1.36.0';

/** What this machine is; read once. */
export interface Machine {
  info: NodeSystemInfo;
  memoryBytes: number;
  milliCpu: number;
}

const goArchitectures: Record<string, string> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ia32: '386' };

export const goArchitecture = (): string => goArchitectures[arch()] ?? arch();

export function readMachine(runtimeVersion: string): Machine {
  const machineID = read('/etc/machine-id') || read('/var/lib/dbus/machine-id');
  return {
    memoryBytes: totalmem(),
    milliCpu: availableParallelism() * 1000,
    info: {
      machineID,
      systemUUID: read('/sys/class/dmi/id/product_uuid') || machineID,
      bootID: read('/proc/sys/kernel/random/boot_id'),
      kernelVersion: release(),
      osImage: osImage(),
      containerRuntimeVersion: runtimeVersion,
      kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: goArchitecture(),
    },
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Containers and small virtual machines lack some of these files; the field is then empty, as upstream's.
    return '';
  }
}

function osImage(): string {
  const line = read('/etc/os-release')
    .split('\n')
    .find((one) => one.startsWith('PRETTY_NAME='));
  return line ? line.slice('PRETTY_NAME='.length).replaceAll('"', '') : 'Unknown';
}

/** CPU (millicores), memory, disk and huge pages of the machine, and the Pods it may have. */
export async function capacityOf(
  { milliCpu, memoryBytes }: Machine,
  { rootDir, maxPods }: { rootDir: string; maxPods: number },
): Promise<Amounts> {
  const { bsize, blocks } = await statfs(rootDir);
  return {
    cpu: milliCpu,
    memory: memoryBytes,
    'ephemeral-storage': bsize * blocks,
    ...hugePages(),
    pods: maxPods,
  };
}

function hugePages(): Amounts {
  const folder = '/sys/kernel/mm/hugepages';
  const names = ((): string[] => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  })();
  return Object.fromEntries(
    names.flatMap((name) => {
      const kib = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
      if (!kib) return [];
      const size = kib % (1 << 20) === 0 ? `${kib >> 20}Gi` : `${kib >> 10}Mi`;
      return [[`hugepages-${size}`, Number(read(`${folder}/${name}/nr_hugepages`)) * kib * 1024]];
    }),
  );
}

/** Amounts as the API writes them: CPU in cores, memory in Ki where it is whole. */
export const resourceList = (amounts: Amounts): Record<string, string> =>
  Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, quantity(name, amount)]));

function quantity(name: string, amount: number): string {
  if (name === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  if (name === 'pods') return String(amount);
  return amount > 0 && amount % 1024 === 0 ? `${amount / 1024}Ki` : String(amount);
}

/** What Pods may use: the capacity less what is reserved for the system and for eviction. */
export function allocatableOf(capacity: Amounts, reserved: Amounts): Amounts {
  const rest = Object.fromEntries(
    Object.entries(capacity).map(([name, amount]) => [name, Math.max(0, amount - (reserved[name] ?? 0))]),
  );
  const huge = Object.entries(capacity)
    .filter(([name]) => name.startsWith('hugepages-'))
    .reduce((sum, [, amount]) => sum + amount, 0);
  return { ...rest, memory: Math.max(0, (rest['memory'] ?? 0) - huge) };
}

/** Upstream's hard eviction thresholds: 100Mi of memory, a tenth of the disk. */
export const evictionReserve = (capacity: Amounts): Amounts => ({
  memory: 100 * 1024 * 1024,
  'ephemeral-storage': Math.floor((capacity['ephemeral-storage'] ?? 0) / 10),
});
