import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  StorageClass,
} from '../types.ts';
import { canonicalList, canonicalResources } from './resources.ts';

export function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.status = { ...claim.status, phase: claim.status?.phase || 'Pending' };
  claim.spec ??= {};
  defaultClaimSpec(claim.spec);
}

export function defaultClaimSpec(spec: PersistentVolumeClaimSpec): void {
  spec.volumeMode ??= 'Filesystem';
  spec.resources ??= {};
  canonicalResources(spec.resources);
}

/**
 * What a new claim's older field says, the newer one says too, and the other way round where that can be said. To be done
 * when a claim is made (Kubernetes pkg/api/persistentvolumeclaim NormalizeDataSources).
 */
export function normalizeDataSources(spec: PersistentVolumeClaimSpec): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined && dataSourceRef === undefined) spec.dataSourceRef = { ...dataSource };
  if (dataSource !== undefined || dataSourceRef === undefined || (dataSourceRef.namespace ?? '') !== '')
    return;
  const { namespace: _, ...local } = dataSourceRef;
  spec.dataSource = local;
}

export function defaultPersistentVolume(volume: PersistentVolume): void {
  volume.status = { ...volume.status, phase: volume.status?.phase || 'Pending' };
  const spec = (volume.spec ??= {});
  spec.persistentVolumeReclaimPolicy ||= 'Retain';
  spec.volumeMode ??= 'Filesystem';
  canonicalList(spec.capacity);
  if (spec.hostPath !== undefined) spec.hostPath.type ??= '';
  if (spec.iscsi !== undefined) spec.iscsi.iscsiInterface ||= 'default';
}

/** Source: Kubernetes pkg/apis/storage/v1/defaults.go. */
export function defaultStorageClass(storageClass: StorageClass): void {
  storageClass.reclaimPolicy ??= 'Delete';
  storageClass.volumeBindingMode ??= 'Immediate';
}
