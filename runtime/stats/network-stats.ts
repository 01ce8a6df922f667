import { readFileSync } from 'node:fs';
import { hasCode } from '../../linux/system-error.ts';
import { nowNs } from '../clock.ts';
import type { NetworkInterfaceUsage, NetworkUsage, Sent } from '../cri/types.ts';
import type { SandboxRecord } from '../sandboxes/record.ts';

/** Bytes and errors of a sandbox's interfaces, as its pause process sees them; null on the node's network. */
export function networkStats({ pause, netnsPath }: SandboxRecord): Sent<NetworkUsage> | null {
  if (pause === null || netnsPath === null) return null;
  const interfaces = readInterfaces(`/proc/${pause.pid}/net/dev`).filter(({ name }) => name !== 'lo');
  const defaultInterface = interfaces.find(({ name }) => name === 'eth0') ?? null;
  return {
    timestamp: nowNs(),
    defaultInterface,
    interfaces: interfaces.filter((one) => one !== defaultInterface),
  };
}

// proc_pid_net(5): after the name eight numbers received, then eight sent; bytes first, errors third.
function readInterfaces(path: string): Sent<NetworkInterfaceUsage>[] {
  return readLines(path)
    .slice(2)
    .map((line) => {
      const [name = '', numbers = ''] = line.split(':');
      const fields = numbers.trim().split(/\s+/).map(Number);
      const value = (index: number) => ({ value: fields[index] ?? 0 });
      return {
        name: name.trim(),
        rxBytes: value(0),
        rxErrors: value(2),
        txBytes: value(8),
        txErrors: value(10),
      };
    });
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL')) return []; // the sandbox has just ended
    throw error;
  }
}
