import { compareQuantities } from '../../api/quantity.ts';
import { classOfClaim } from '../../api/storage/storage-class.ts';
import type { PersistentVolumeClaim, StorageClass } from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionPlugin } from './admission.ts';
import { refuse } from './pod-creation.ts';
import { writtenClaim } from './storage-object.ts';

const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec?.resources?.requests?.['storage'] ?? '0';

/** Lets only bound claims of a class that allows it grow (upstream: plugin/pkg/admission/storage/persistentvolume/resize). */
export const persistentVolumeClaimResize = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'PersistentVolumeClaimResize',
  validate(attributes) {
    const claim = writtenClaim(attributes);
    const old = attributes.oldObject as PersistentVolumeClaim | undefined;
    if (attributes.operation !== 'UPDATE' || claim === undefined || old === undefined) return;
    if (compareQuantities(sizeOf(claim), sizeOf(old)) <= 0) return;
    if (old.status?.phase !== 'Bound')
      throw refuse(attributes, 'Only bound persistent volume claims can be expanded');
    if (allowsExpansion(stores, claim, old)) return;
    throw refuse(
      attributes,
      'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  },
});

function allowsExpansion(stores: Stores, claim: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const name = classOfClaim(claim);
  if (name === '' || name !== classOfClaim(old)) return false;
  const found = stores.named('storage.k8s.io', 'storageclasses').peek({ namespace: '', name });
  return (found as unknown as StorageClass | undefined)?.allowVolumeExpansion === true;
}
