import { bindCompleted } from '../../../api/storage/annotations.ts';
import { claimsOfPod, ephemeralClaimConflict } from '../../../api/storage/pod-claims.ts';
import { classOfClaim } from '../../../api/storage/storage-class.ts';
import type { PersistentVolumeClaim, Pod } from '../../../api/types.ts';
import type { StorageState } from './storage-state.ts';

/** A pod's claims by what the scheduler has to do about them. */
export interface PodVolumeClaims {
  bound: PersistentVolumeClaim[];
  /** Wait for the scheduler's choice of a node. */
  delayed: PersistentVolumeClaim[];
  /** Wait for the binder, which waits for nobody. */
  immediate: PersistentVolumeClaim[];
}

/** Thrown for a claim with which the pod can't run anywhere; the message is for the user. */
export class UnusableClaim extends Error {}

/** A claim that has its volume, and both sides know it. */
export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  (spec?.volumeName ?? '') !== '' && metadata?.annotations?.[bindCompleted] !== undefined;

/**
 * The pod's claims, sorted. Throws UnusableClaim for one that is absent, lost, being deleted or someone else's,
 * and an Error for a class without a binding mode.
 */
export const sortClaims = (pod: Pod, storage: StorageState): PodVolumeClaims => {
  const sorted: PodVolumeClaims = { bound: [], delayed: [], immediate: [] };
  for (const reference of claimsOfPod(pod)) {
    const claim = usableClaim(pod, { ...reference, storage });
    if (isFullyBound(claim)) sorted.bound.push(claim);
    // A claim that names its volume is the binder's business.
    else if (isDelayed(claim, storage) && (claim.spec?.volumeName ?? '') === '') sorted.delayed.push(claim);
    else sorted.immediate.push(claim);
  }
  return sorted;
};

const usableClaim = (
  pod: Pod,
  { name, isEphemeral, storage }: { name: string; isEphemeral: boolean; storage: StorageState },
): PersistentVolumeClaim => {
  const claim = storage.claims.get(`${pod.metadata?.namespace ?? ''}/${name}`);
  const quoted = JSON.stringify(name);
  if (claim === undefined) {
    throw new UnusableClaim(
      isEphemeral
        ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
        : `persistentvolumeclaim ${quoted} not found`,
    );
  }
  if (claim.status?.phase === 'Lost') {
    const volume = JSON.stringify(claim.spec?.volumeName ?? '');
    throw new UnusableClaim(
      `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${volume}`,
    );
  }
  if (claim.metadata?.deletionTimestamp !== undefined) {
    throw new UnusableClaim(`persistentvolumeclaim ${quoted} is being deleted`);
  }
  const conflict = isEphemeral ? ephemeralClaimConflict(pod, claim) : undefined;
  if (conflict !== undefined) throw new UnusableClaim(conflict);
  return claim;
};

const isDelayed = (claim: PersistentVolumeClaim, { classes }: StorageState): boolean => {
  const className = classOfClaim(claim);
  const storageClass = className === '' ? undefined : classes.getByKey(className);
  if (storageClass === undefined) return false;
  if (storageClass.volumeBindingMode === undefined) {
    throw new Error(`VolumeBindingMode not set for StorageClass ${JSON.stringify(className)}`);
  }
  return storageClass.volumeBindingMode === 'WaitForFirstConsumer';
};
