import type { PersistentVolume, PersistentVolumeClaim } from '../types.ts';
import { boundByController } from './annotations.ts';

/**
 * Whether a volume's claimRef means this claim: same name and namespace, and the same uid when claimRef has
 * one (an administrator who reserves a volume leaves it out).
 */
export const isVolumeBoundToClaim = (
  { spec }: PersistentVolume,
  { metadata }: PersistentVolumeClaim,
): boolean => {
  const claimRef = spec?.claimRef;
  if (claimRef === undefined) return false;
  if (claimRef.name !== metadata?.name || claimRef.namespace !== metadata?.namespace) return false;
  return (claimRef.uid ?? '') === '' || claimRef.uid === metadata?.uid;
};

/**
 * The volume as it is to be written to be bound to this claim; the very same object when nothing is missing.
 * A volume that nobody had reserved for the claim gets the annotation that the binder may undo the binding.
 * The resourceVersion stays, so that of two writers only one wins.
 */
export const bindVolumeToClaim = (
  volume: PersistentVolume,
  claim: PersistentVolumeClaim,
): PersistentVolume => {
  const isOurs = !isVolumeBoundToClaim(volume, claim);
  const isComplete = !isOurs && volume.spec?.claimRef?.uid === claim.metadata?.uid;
  const annotations = volume.metadata?.annotations ?? {};
  if (isComplete) return volume;
  return {
    ...volume,
    metadata: {
      ...volume.metadata,
      ...(isOurs ? { annotations: { [boundByController]: 'yes', ...annotations } } : {}),
    },
    spec: { ...volume.spec, claimRef: referenceToClaim(claim) },
  };
};

/** What a volume's claimRef says of its claim. */
export const referenceToClaim = ({
  metadata,
}: PersistentVolumeClaim): NonNullable<NonNullable<PersistentVolume['spec']>['claimRef']> => {
  const { name, namespace, uid, resourceVersion } = metadata ?? {};
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
};
