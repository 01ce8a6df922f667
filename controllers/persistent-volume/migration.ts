import { isDeepStrictEqual } from 'node:util';
import {
  betaStorageProvisioner,
  externalProvisionerProtection,
  inTreeProtection,
  migratedTo,
  provisionedBy,
  storageProvisioner,
} from '../../api/storage/annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../api/types.ts';
import { csiNameFor } from '../../csi/translation/index.ts';
import type { Binder } from './binder.ts';
import { saveClaim, saveVolume } from './save.ts';

type Annotations = Record<string, string> | undefined;

/** A claim with the right migrated-to annotation: written when it was another one. */
export const annealClaim = async (
  claim: PersistentVolumeClaim,
  binder: Binder,
): Promise<PersistentVolumeClaim> => {
  const present = claim.metadata?.annotations;
  const annotations = claimAnnotations(present);
  if (annotations === present || annotations === undefined) return claim;
  return saveClaim({ ...claim, metadata: { ...claim.metadata, annotations } }, binder);
};

/** A claim's annotations, with migrated-to as its provisioner asks for; the same object when nothing changes. */
export const claimAnnotations = (present: Annotations): Annotations =>
  withMigratedTo(present, present?.[storageProvisioner] ?? present?.[betaStorageProvisioner]);

/** A volume with the right migrated-to annotation and deletion finalizers: written when they were others. */
export const annealVolume = async (volume: PersistentVolume, binder: Binder): Promise<PersistentVolume> => {
  const present = volume.metadata?.annotations;
  const annotations = withMigratedTo(present, present?.[provisionedBy]);
  const finalizers = deletionFinalizers(volume);
  if (annotations === present && finalizers === volume.metadata?.finalizers) return volume;
  const metadata = { ...volume.metadata };
  if (annotations !== undefined) metadata.annotations = annotations;
  if (finalizers !== undefined) metadata.finalizers = finalizers;
  return saveVolume({ ...volume, metadata }, binder);
};

const withMigratedTo = (annotations: Annotations, provisioner: string | undefined): Annotations => {
  if (annotations === undefined || provisioner === undefined) return annotations;
  const { [migratedTo]: present = '', ...others } = annotations;
  const driver = csiNameFor(provisioner) ?? '';
  if (driver === present) return annotations;
  return driver === '' ? others : { ...others, [migratedTo]: driver };
};

/**
 * Which finalizers keep a provisioned volume until its storage is gone: the in-tree one for what an in-tree provisioner
 * made under policy Delete, none of ours for what is migrated to CSI or external. Answers the present list when
 * nothing changes.
 */
export const deletionFinalizers = ({ metadata, spec }: PersistentVolume): string[] | undefined => {
  const present = metadata?.finalizers;
  const provisioner = metadata?.annotations?.[provisionedBy];
  if (provisioner === undefined) return present;
  const isMigrated = csiNameFor(provisioner) !== undefined;
  if (!isMigrated && !provisioner.startsWith('kubernetes.io/')) return present;
  const keeps = !isMigrated && spec?.persistentVolumeReclaimPolicy === 'Delete';
  const removed = isMigrated ? [inTreeProtection] : [inTreeProtection, externalProvisionerProtection];
  const others = (present ?? []).filter((finalizer) => !removed.includes(finalizer));
  const wanted = keeps ? [...others, inTreeProtection] : others;
  return isDeepStrictEqual(new Set(wanted), new Set(present)) ? present : wanted;
};
