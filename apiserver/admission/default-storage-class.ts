import { defaultClassOf, hasClass } from '../../api/storage/storage-class.ts';
import type { StorageClass } from '../../api/types.ts';
import type { Stores } from '../storage/stores.ts';
import type { AdmissionPlugin } from './admission.ts';
import { writtenClaim } from './storage-object.ts';

/** Gives a new claim that says nothing about a class the default one (upstream: plugin/pkg/admission/storage/storageclass/setdefault). */
export const defaultStorageClass = ({ stores }: { stores: Stores }): AdmissionPlugin => ({
  name: 'DefaultStorageClass',
  admit(attributes) {
    if (attributes.operation !== 'CREATE') return;
    const claim = writtenClaim(attributes);
    if (claim === undefined || hasClass(claim)) return;
    const classes = [...stores.named('storage.k8s.io', 'storageclasses').cache.values()];
    const chosen = defaultClassOf(classes.map(({ object }) => object as unknown as StorageClass));
    const name = chosen?.metadata?.name;
    if (name !== undefined) claim.spec = { ...claim.spec, storageClassName: name };
  },
});
