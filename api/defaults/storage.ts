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
  // The older field and the newer one say the same (pkg/apis/core/v1 and pkg/api/persistentvolumeclaim).
  if (spec.dataSourceRef === undefined && spec.dataSource !== undefined)
    spec.dataSourceRef = { ...spec.dataSource };
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
