import { claimOfVolume, ephemeralClaimConflict } from '../../api/storage/pod-claims.ts';
import { uniqueVolumeName } from '../../api/storage/attachment.ts';
import type { DriverVolume } from '../../api/storage/attachment.ts';
import type {
  CSIDriver,
  CSINode,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  Volume,
  VolumeAttachmentSource,
} from '../../api/types.ts';
import type { Lister } from '../../client/store.ts';
import {
  inTreePluginOfPv,
  inTreePluginOfVolume,
  isMigratedOnNode,
  translateInTreePv,
  translateInTreeVolume,
} from '../../csi/translation/index.ts';

/** A volume that a driver attaches to nodes. */
export interface AttachableVolume extends DriverVolume {
  uniqueName: string;
  /** What people call it: the PV's name. */
  name: string;
  source: VolumeAttachmentSource;
  /** True when more than one node may have it at a time. */
  isShareable: boolean;
}

/** `unresolved`: what the Pod refers to isn't there or isn't bound yet. */
export type PodVolume = AttachableVolume | 'not-attachable' | 'unresolved';

/** Where a Pod's volumes are looked up. */
export interface VolumeLookup {
  claims: Lister<PersistentVolumeClaim>;
  volumes: Lister<PersistentVolume>;
  drivers: Lister<CSIDriver>;
  csiNodes: Lister<CSINode>;
}

/**
 * What a volume of a Pod is to the attach-detach controller. In-tree volumes count as those of the CSI driver that took the
 * plugin's place, where the node's kubelet does so too (upstream: attachdetach/util CreateVolumeSpecWithNodeMigration).
 */
export function resolvePodVolume(pod: Pod, volume: Volume, lookup: VolumeLookup): PodVolume {
  const found = findVolume(pod, volume, lookup);
  if (typeof found === 'string') return found;
  const { persistentVolume, source } = found;
  const { csi, accessModes = [] } = persistentVolume.spec ?? {};
  if (csi === undefined) return 'not-attachable';
  if (lookup.drivers.getByKey(csi.driver)?.spec.attachRequired === false) return 'not-attachable';
  const identity = { driver: csi.driver, handle: csi.volumeHandle };
  return {
    ...identity,
    uniqueName: uniqueVolumeName(identity),
    name: persistentVolume.metadata?.name ?? '',
    source,
    isShareable: isShareable(accessModes),
  };
}

/** Upstream: volume/util IsMultiAttachAllowed; of a volume without modes nothing is known, so its driver has to judge. */
const isShareable = (accessModes: readonly string[]): boolean =>
  accessModes.length === 0 || accessModes.includes('ReadWriteMany') || accessModes.includes('ReadOnlyMany');

interface Found {
  persistentVolume: PersistentVolume;
  source: VolumeAttachmentSource;
}

function findVolume(pod: Pod, volume: Volume, lookup: VolumeLookup): Found | 'not-attachable' | 'unresolved' {
  const claim = claimOfVolume(pod, volume);
  if (claim === undefined) return findInline(pod, volume, lookup);
  const key = `${pod.metadata?.namespace ?? ''}/${claim.name}`;
  const object = lookup.claims.getByKey(key);
  if (object?.status?.phase !== 'Bound') return 'unresolved';
  if (claim.isEphemeral && ephemeralClaimConflict(pod, object) !== undefined) return 'unresolved';
  const persistentVolume = lookup.volumes.getByKey(object.spec?.volumeName ?? '');
  if (persistentVolume?.spec?.claimRef?.uid !== object.metadata?.uid) return 'unresolved';
  return translate(persistentVolume, pod, lookup);
}

function findInline(pod: Pod, volume: Volume, lookup: VolumeLookup): Found | 'not-attachable' | 'unresolved' {
  const plugin = inTreePluginOfVolume(volume);
  if (plugin === undefined) return 'not-attachable';
  const csiNode = lookup.csiNodes.getByKey(pod.spec?.nodeName ?? '');
  if (csiNode === undefined) return 'unresolved';
  if (!isMigratedOnNode(plugin, csiNode)) return 'not-attachable';
  const persistentVolume = translateInTreeVolume(volume);
  return {
    persistentVolume,
    source: { inlineVolumeSpec: persistentVolume.spec ?? {} },
  };
}

function translate(
  volume: PersistentVolume | undefined,
  pod: Pod,
  { csiNodes }: VolumeLookup,
): Found | 'not-attachable' | 'unresolved' {
  if (volume === undefined) return 'unresolved';
  const source = { persistentVolumeName: volume.metadata?.name ?? '' };
  const plugin = inTreePluginOfPv(volume);
  if (plugin === undefined) return { persistentVolume: volume, source };
  const csiNode = csiNodes.getByKey(pod.spec?.nodeName ?? '');
  if (csiNode === undefined) return 'unresolved';
  if (!isMigratedOnNode(plugin, csiNode)) return 'not-attachable';
  return { persistentVolume: translateInTreePv(volume), source };
}
