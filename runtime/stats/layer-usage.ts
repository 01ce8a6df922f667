import { diskUsageOf, type DiskUsage } from '../../linux/disk-usage.ts';
import { hasCode } from '../../linux/system-error.ts';
import { trace } from '../../linux/trace.ts';

interface Measurement {
  atMs: number;
  done: boolean;
  usage: Promise<DiskUsage>;
}

const measured = new Map<string, Measurement>();
const freshMs = 10_000;
const forgottenMs = 600_000;
const nothing: DiskUsage = { usedBytes: 0, inodes: 0 };
const debug = trace('runtime');

/**
 * Bytes and inodes of a container's writable layer, measured at most every ten seconds (as containerd does), and once at a time. Never
 * rejects: a layer that cannot be measured has the usage it had before, for a container may do with its files what it wants.
 */
export function layerUsage(path: string): Promise<DiskUsage> {
  const nowMs = Date.now();
  const known = measured.get(path);
  if (known !== undefined && (!known.done || nowMs - known.atMs < freshMs)) return known.usage;
  const next: Measurement = { atMs: nowMs, done: false, usage: measure(path, known?.usage) };
  void next.usage.then(() => (next.done = true));
  measured.set(path, next);
  for (const [other, { atMs, done }] of measured)
    if (done && nowMs - atMs > forgottenMs) measured.delete(other);
  return next.usage;
}

async function measure(path: string, before: Promise<DiskUsage> | undefined): Promise<DiskUsage> {
  try {
    return await diskUsageOf(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return nothing; // not started yet, or just removed
    debug('layer not measured', { path, error });
    return (await before) ?? nothing;
  }
}
