import { hasCode } from '../../linux/system-error.ts';
import { treeUsage } from '../images/unpack.ts';

interface Usage {
  bytes: number;
  inodes: number;
}

const measured = new Map<string, { atMs: number; usage: Promise<Usage> }>();
const freshMs = 10_000;

/** Bytes and inodes of a container's writable layer, measured at most every ten seconds (as containerd does). */
export function layerUsage(path: string): Promise<Usage> {
  const nowMs = Date.now();
  const known = measured.get(path);
  if (known !== undefined && nowMs - known.atMs < freshMs) return known.usage;
  const usage = measure(path);
  measured.set(path, { atMs: nowMs, usage });
  for (const [other, { atMs }] of measured) if (nowMs - atMs > freshMs) measured.delete(other);
  return usage;
}

async function measure(path: string): Promise<Usage> {
  try {
    return await treeUsage(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return { bytes: 0, inodes: 0 }; // not started yet, or just removed
    throw error;
  }
}
