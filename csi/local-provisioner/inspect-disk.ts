import { statSync } from 'node:fs';
import { blockDeviceBytes } from '../../linux/block-device.ts';
import { usageOf } from '../../linux/filesystem.ts';
import { isMountPoint } from '../../linux/mount-info.ts';
import { hasCode } from '../../linux/system-error.ts';

export interface Disk {
  kind: 'directory' | 'block-device';
  capacityBytes: number;
}

/**
 * What stands at a path: a directory that is a mount point, or a block device (also through a symlink). Throws Error with
 * upstream's words for anything else: a directory without a mount would be the node's own disk, shared with all.
 */
export const inspectDisk = async (path: string): Promise<Disk> => {
  const kind = kindOf(path);
  if (kind === 'block-device') return { kind, capacityBytes: blockDeviceBytes(path) };
  if (!isMountPoint(path))
    throw new Error(
      `path "${path}" is not a valid mount point: mountPath="${path}" wasn't found in the /proc/mounts file`,
    );
  return { kind, capacityBytes: (await usageOf(path)).capacityBytes };
};

/** Throws Error for what is neither, or isn't there. */
export const kindOf = (path: string): Disk['kind'] => {
  const stat = statOf(path);
  if (stat.isDirectory()) return 'directory';
  if (stat.isBlockDevice()) return 'block-device';
  throw new Error(`Skipping file "${path}": not a directory nor block device`);
};

const statOf = (path: string) => {
  try {
    return statSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    const cause = `stat ${path}: no such file or directory`;
    throw new Error(`Directory check for "${path}" failed: ${cause}`, { cause: error });
  }
};
