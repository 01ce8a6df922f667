import {
  attributesClassProtection,
  claimProtection,
  volumeProtection,
} from '../../api/storage/annotations.ts';
import type { AdmissionPlugin } from './admission.ts';
import { isWriteTo } from './storage-object.ts';

const PROTECTED = [
  { group: '', plural: 'persistentvolumeclaims', finalizer: claimProtection },
  { group: '', plural: 'persistentvolumes', finalizer: volumeProtection },
  { group: 'storage.k8s.io', plural: 'volumeattributesclasses', finalizer: attributesClassProtection },
];

/**
 * Gives each new claim, volume and VolumeAttributesClass the finalizer that keeps it while it is used; the protection controllers take it away
 * (upstream: plugin/pkg/admission/storage/storageobjectinuseprotection).
 */
export const storageObjectInUseProtection: AdmissionPlugin = {
  name: 'StorageObjectInUseProtection',
  admit(attributes) {
    const { operation, object } = attributes;
    if (operation !== 'CREATE' || object === undefined) return;
    const found = PROTECTED.find(({ group, plural }) => isWriteTo(attributes, group, plural));
    if (found === undefined) return;
    const finalizers = object.metadata.finalizers ?? [];
    if (!finalizers.includes(found.finalizer)) object.metadata.finalizers = [...finalizers, found.finalizer];
  },
};
