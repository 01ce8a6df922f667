import { timeOf } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { diskUsageOf } from '../../linux/disk-usage.ts';
import { usageOf } from '../../linux/filesystem.ts';
import type { MountedVolume } from './container-mounts.ts';
import type { StatsCache } from './stats-cache.ts';

/** What /stats/summary says of a volume. */
export interface VolumeStats {
  name: string;
  /** When it was counted. */
  time: string;
  /** The claim that it is behind. */
  pvcRef?: { name: string; namespace: string } | undefined;
  usedBytes: number;
  inodesUsed: number;
  /** Of the file system that the volume is on. */
  capacityBytes: number;
  availableBytes: number;
  inodes: number;
  inodesFree: number;
  /** Only from drivers that look after the health of their volumes. */
  volumeHealthStats?: { abnormal: boolean } | undefined;
}

export interface VolumeStatsOptions {
  volumes: ReadonlyMap<string, MountedVolume>;
  cache: StatsCache;
  clock: Clock;
  /** Only the volumes behind claims, which are never counted file by file. */
  claimsOnly?: boolean | undefined;
  /** Counted now, not up to a minute ago. */
  fresh?: boolean | undefined;
  /** A driver says that something is wrong with a volume. */
  onAbnormal: (volumeName: string, message: string) => void;
  onError: (error: unknown, volumeName: string) => void;
}

/**
 * How full the volumes of a Pod are; a hostPath, a gitRepo, an image and a driver that doesn't count have none (upstream's
 * MetricsNil). What can't be counted now is left out.
 */
export const volumeStats = async (options: VolumeStatsOptions): Promise<VolumeStats[]> => {
  const { volumes, cache, claimsOnly = false, fresh = false } = options;
  const counted = [...volumes.values()].filter(
    (volume) => hasStats(volume) && !(claimsOnly && claimOf(volume) === undefined),
  );
  const stats = await Promise.all(
    counted.map((volume) =>
      cache.get(volume.name, { count: () => statsOf(volume, options), fresh }).catch((error: unknown) => {
        options.onError(error, volume.name);
        return undefined;
      }),
    ),
  );
  return stats.filter((each) => each !== undefined);
};

const hasStats = ({ ownStats, spec }: MountedVolume): boolean => {
  const { hostPath, gitRepo, image } = { ...spec.volume, ...spec.persistentVolume?.spec };
  const none = hostPath !== undefined || gitRepo !== undefined || image !== undefined;
  return ownStats !== undefined || !none;
};

const statsOf = async (
  volume: MountedVolume,
  { clock, onAbnormal }: VolumeStatsOptions,
): Promise<VolumeStats | undefined> => {
  const { name } = volume;
  const time = timeOf(clock.now());
  if (volume.ownStats === undefined) return { name, time, ...(await usageOfFiles(volume)) };
  const stats = await volume.ownStats();
  if (stats === undefined) return undefined;
  const { condition, ...usage } = stats;
  if (condition?.abnormal === true) onAbnormal(name, condition.message);
  return {
    name,
    time,
    pvcRef: claimOf(volume),
    ...usage,
    volumeHealthStats: condition && { abnormal: condition.abnormal },
  };
};

const claimOf = ({ spec }: MountedVolume): VolumeStats['pvcRef'] => {
  const { name, namespace } = spec.claim?.metadata ?? {};
  return name === undefined ? undefined : { name, namespace: namespace ?? '' };
};

const usageOfFiles = async ({ hostPath }: MountedVolume) => {
  const [used, fileSystem] = await Promise.all([diskUsageOf(hostPath), usageOf(hostPath)]);
  const { capacityBytes, availableBytes, inodes, inodesFree } = fileSystem;
  return {
    usedBytes: used.usedBytes,
    inodesUsed: used.inodes,
    capacityBytes,
    availableBytes,
    inodes,
    inodesFree,
  };
};
