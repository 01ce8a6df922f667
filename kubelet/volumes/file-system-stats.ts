import { usageOf } from '../../linux/filesystem.ts';
import type { PluginVolumeStats } from './plugin.ts';

/** How full the whole file system of a path is: for volumes that are one (upstream's MetricsStatFS). */
export const fileSystemStats = async (path: string): Promise<PluginVolumeStats> => {
  const { usedBytes, capacityBytes, availableBytes, inodes, inodesUsed, inodesFree } = await usageOf(path);
  return { usedBytes, capacityBytes, availableBytes, inodes, inodesUsed, inodesFree };
};
