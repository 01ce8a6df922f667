import { quote } from '../../api/go-format.ts';
import { canonicalQuantity, compareQuantities } from '../../api/quantity.ts';
import type { KubeletPod } from '../pod.ts';
import { ephemeralStorageLimit, hasSizeLimit, isOnDisk, limitOf } from './local-storage-limits.ts';
import type { LocalStorageUsage } from './local-storage-usage.ts';

/** A limit that a Pod is over. */
export interface LocalStorageExcess {
  /** As the metric of evictions names it. */
  signal: 'emptydirfs.limit' | 'ephemeralpodfs.limit' | 'ephemeralcontainerfs.limit';
  /** Upstream's words, final space included. */
  message: string;
}

/** The first limit that the Pod is over, in the order in which upstream's eviction manager looks. */
export const excessOf = (pod: KubeletPod, usage: LocalStorageUsage): LocalStorageExcess | undefined =>
  emptyDirExcess(pod, usage) ?? podExcess(pod, usage) ?? containerExcess(pod, usage);

function emptyDirExcess(
  { spec }: KubeletPod,
  { emptyDirs }: LocalStorageUsage,
): LocalStorageExcess | undefined {
  for (const volume of (spec.volumes ?? []).filter(hasSizeLimit)) {
    const limit = volume.emptyDir?.sizeLimit ?? '0';
    if (compareQuantities(emptyDirs.get(volume.name) ?? 0, limit) <= 0) continue;
    const words = `${quote(volume.name)} exceeds the limit ${quote(canonicalQuantity(limit))}`;
    return { signal: 'emptydirfs.limit', message: `Usage of EmptyDir volume ${words}. ` };
  }
  return undefined;
}

/** All containers together may use what their limits add up to, also when one of them has none (upstream too). */
function podExcess(
  pod: KubeletPod,
  { emptyDirs, containers, podFilesBytes }: LocalStorageUsage,
): LocalStorageExcess | undefined {
  const limit = ephemeralStorageLimit(pod);
  if (limit === undefined) return undefined;
  const onDisk = (pod.spec.volumes ?? []).filter(isOnDisk).map(({ name }) => emptyDirs.get(name) ?? 0);
  const ofContainers = containers.map(({ layerBytes, logBytes }) => layerBytes + logBytes);
  const usedBytes = [...onDisk, ...ofContainers].reduce((sum, bytes) => sum + bytes, podFilesBytes);
  if (compareQuantities(usedBytes, limit) <= 0) return undefined;
  const message = `Pod ephemeral local storage usage exceeds the total limit of containers ${canonicalQuantity(limit)}. `;
  return { signal: 'ephemeralpodfs.limit', message };
}

function containerExcess(
  { spec }: KubeletPod,
  { containers, layersAreApart }: LocalStorageUsage,
): LocalStorageExcess | undefined {
  for (const container of spec.containers) {
    const limit = limitOf(container);
    const usage = containers.find(({ name }) => name === container.name);
    if (limit === undefined || compareQuantities(limit, 0) === 0 || usage === undefined) continue;
    const usedBytes = usage.logBytes + (layersAreApart ? 0 : usage.layerBytes);
    if (compareQuantities(usedBytes, limit) <= 0) continue;
    const words = `Container ${container.name} exceeded its local ephemeral storage limit ${quote(canonicalQuantity(limit))}`;
    return { signal: 'ephemeralcontainerfs.limit', message: `${words}. ` };
  }
  return undefined;
}
