import { usageOf } from '../../linux/filesystem.ts';
import type { MountedVolume } from './container-mounts.ts';
import { diskUsageOf } from './disk-usage.ts';

/** What /stats/summary says of a volume. */
export interface VolumeStats {
  name: string;
  usedBytes: number;
  inodesUsed: number;
  /** Of the file system that the volume is on. */
  capacityBytes: number;
  availableBytes: number;
  inodes: number;
  inodesFree: number;
}

/** The usage of the volumes that are the Pod's own; a hostPath, a gitRepo and an image have none (upstream's MetricsNil). */
export const volumeStats = async (volumes: ReadonlyMap<string, MountedVolume>): Promise<VolumeStats[]> => {
  const counted = [...volumes.values()].filter(({ volume }) => hasStats(volume));
  return Promise.all(counted.map(statsOf));
};

const hasStats = ({ hostPath, gitRepo, image }: MountedVolume['volume']): boolean =>
  hostPath === undefined && gitRepo === undefined && image === undefined;

const statsOf = async ({ name, hostPath }: MountedVolume): Promise<VolumeStats> => {
  const [used, fileSystem] = await Promise.all([diskUsageOf(hostPath), usageOf(hostPath)]);
  const { capacityBytes, availableBytes, inodes, inodesFree } = fileSystem;
  const { usedBytes, inodes: inodesUsed } = used;
  return { name, usedBytes, inodesUsed, capacityBytes, availableBytes, inodes, inodesFree };
};
