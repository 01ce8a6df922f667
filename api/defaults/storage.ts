import type {
  CSIDriver,
  CSIStorageCapacity,
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  StorageClass,
  VolumeAttachment,
} from '../types.ts';
import { canonicalQuantity } from '../quantity.ts';
import { defaultNetworkVolume } from './network-volume.ts';
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
  defaultNetworkVolume(spec);
}

/** Source: Kubernetes pkg/apis/storage/v1/defaults.go. */
export function defaultStorageClass(storageClass: StorageClass): void {
  storageClass.reclaimPolicy ??= 'Delete';
  storageClass.volumeBindingMode ??= 'Immediate';
}

/** A driver that says nothing needs attaching, and takes no part in the newer abilities. */
export function defaultCsiDriver(driver: CSIDriver): void {
  const spec = (driver.spec ??= {});
  spec.attachRequired ??= true;
  spec.podInfoOnMount ??= false;
  spec.storageCapacity ??= false;
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  spec.requiresRepublish ??= false;
  spec.seLinuxMount ??= false;
}

/** Nothing is filled in; amounts get the form that upstream's decoding gives them. */
export function defaultCsiStorageCapacity(object: CSIStorageCapacity): void {
  if (object.capacity !== undefined) object.capacity = canonicalQuantity(object.capacity);
  if (object.maximumVolumeSize !== undefined)
    object.maximumVolumeSize = canonicalQuantity(object.maximumVolumeSize);
}

/** A status says whether; what says nothing says no (the field of the Go type is written always). */
export function defaultVolumeAttachment({ status }: VolumeAttachment): void {
  if (status !== undefined) status.attached ??= false;
}
