import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskUsageOf } from '../../linux/disk-usage.ts';
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
  /** Bytes of what is no container's: the hosts file, and logs beside the containers' folders. */
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
  const [emptyDirs, stats, hostsBytes, logBytes] = await Promise.all([
    Promise.all(counted.map(async ({ name }) => [name, await bytesOf(mounted.get(name)?.hostPath)] as const)),
    isWhole ? statsOf(options, uid) : [],
    isWhole ? bytesOf(join(pods, uid, 'etc-hosts')) : 0,
    isWhole ? bytesOfFilesIn(podLogFolder(logs, pod)) : 0,
  ]);
  const containers = stats.map(async ({ name, writableLayer }) => ({
    name,
    layerBytes: writableLayer?.usedBytes?.value ?? 0,
    logBytes: await bytesOfFilesIn(containerLogFolder(logs, pod, name)),
  }));
  return {
    emptyDirs: new Map(emptyDirs),
    containers: await Promise.all(containers),
    layersAreApart: await areApart(stats[0]?.writableLayer?.fsId?.mountpoint, pods),
    podFilesBytes: hostsBytes + logBytes,
  };
}

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
  const [ofLayers, ofPods] = await Promise.all([layers, pods].map((path) => ifThere(stat(path))));
  return ofLayers !== undefined && ofPods !== undefined && ofLayers.dev !== ofPods.dev;
}

async function bytesOfFilesIn(folder: string): Promise<number> {
  const entries = (await ifThere(readdir(folder, { withFileTypes: true }))) ?? [];
  const files = entries.filter((entry) => !entry.isDirectory());
  const sizes = await Promise.all(files.map(({ name }) => bytesOf(join(folder, name))));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

const bytesOf = async (path: string | undefined): Promise<number> =>
  path === undefined ? 0 : ((await ifThere(diskUsageOf(path)))?.usedBytes ?? 0);

/** Volumes are unmounted and logs rotated while we count. */
const ifThere = async <T>(value: Promise<T>): Promise<T | undefined> => {
  try {
    return await value;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
};
