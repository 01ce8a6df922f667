import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskUsageIfThere, diskUsageOfFilesIn, totalOf } from '../../linux/disk-usage.ts';
import type { DiskUsage } from '../../linux/disk-usage.ts';
import { hasCode } from '../../linux/system-error.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { labelNames } from '../containers/labels.ts';
import { containerLogFolder, podLogFolder } from '../containers/log-paths.ts';
import type { CriClient } from '../cri/cri-client.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodCache } from '../runtime-status/pod-cache.ts';
import { ephemeralStorageLimit, hasSizeLimit, isOnDisk } from './local-storage-limits.ts';

/** What a Pod has on the node's disk, as far as it has limits for it. */
export interface LocalStorageUsage {
  /** Bytes by the volume's name; of those in memory only what a sizeLimit is about. */
  emptyDirs: ReadonlyMap<string, number>;
  /** Those that run. */
  containers: { name: string; layerBytes: number; logBytes: number }[];
  /** Writable layers are on another file system than everything else (upstream: a dedicated imagefs). */
  layersAreApart: boolean;
  /** Bytes of what is no container's. */
  podFilesBytes: number;
}

export interface MeasureOptions {
  cri: CriClient;
  cache: PodCache;
  /** `<kubelet>/pods` and the root of the Pods' logs. */
  folders: { pods: string; logs: string };
  /** Where the Pod's volumes are that are there. */
  mounted: (uid: string) => ReadonlyMap<string, { hostPath: string }>;
}

/** Measures what the Pod's limits are about, and nothing else. Rejects when the runtime doesn't answer. */
export async function localStorageUsage(
  options: MeasureOptions,
  pod: KubeletPod,
): Promise<LocalStorageUsage> {
  const { uid } = pod.metadata;
  const { pods, logs } = options.folders;
  const isWhole = ephemeralStorageLimit(pod) !== undefined;
  const counted = (pod.spec.volumes ?? []).filter(
    (each) => hasSizeLimit(each) || (isWhole && isOnDisk(each)),
  );
  const mounted = options.mounted(uid);
  const bytesOf = async (name: string) => {
    const path = mounted.get(name)?.hostPath;
    return path === undefined ? 0 : (await diskUsageIfThere(path)).usedBytes;
  };
  const [emptyDirs, stats, podFiles] = await Promise.all([
    Promise.all(counted.map(async ({ name }) => [name, await bytesOf(name)] as const)),
    isWhole ? statsOf(options, uid) : [],
    isWhole ? podFilesUsage(options.folders, pod) : undefined,
  ]);
  const containers = stats.map(async ({ name, writableLayer }) => ({
    name,
    layerBytes: writableLayer?.usedBytes?.value ?? 0,
    logBytes: (await diskUsageOfFilesIn(containerLogFolder(logs, pod, name))).usedBytes,
  }));
  return {
    emptyDirs: new Map(emptyDirs),
    containers: await Promise.all(containers),
    layersAreApart: await areApart(stats[0]?.writableLayer?.fsId?.mountpoint, pods),
    podFilesBytes: podFiles?.usedBytes ?? 0,
  };
}

/** What is no container's: the hosts file, and logs beside the containers' folders. */
export const podFilesUsage = async (
  { pods, logs }: MeasureOptions['folders'],
  pod: KubeletPod,
): Promise<DiskUsage> =>
  totalOf(
    await Promise.all([
      diskUsageIfThere(join(pods, pod.metadata.uid, 'etc-hosts')),
      diskUsageOfFilesIn(podLogFolder(logs, pod)),
    ]),
  );

async function statsOf(
  { cri: client, cache }: MeasureOptions,
  uid: string,
): Promise<(Pick<cri.ContainerStats, 'writableLayer'> & { name: string })[]> {
  const { stats } = await client.call('ListContainerStats', {
    filter: { labelSelector: { [labelNames.podUid]: uid } },
  });
  const running = (cache.get(uid)?.containers ?? []).filter(({ state }) => state === 'running');
  return running.map(({ id, name }) => ({
    name,
    writableLayer: stats.find(({ attributes }) => attributes?.id === id)?.writableLayer ?? null,
  }));
}

async function areApart(layers: string | undefined, pods: string): Promise<boolean> {
  if (!layers) return false;
  const [ofLayers, ofPods] = await Promise.all([deviceOf(layers), deviceOf(pods)]);
  return ofLayers !== undefined && ofPods !== undefined && ofLayers !== ofPods;
}

async function deviceOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).dev;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
