import type { PersistentVolumeClaim } from '../../api/types.ts';
import { isConflict, isNotFound } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims } from '../../client/resources.ts';
import { changeFinalizers } from './finalizers.ts';
import { finalizers, hasFinalizer, isDeleting, nameOf, namespaceOf } from './names.ts';
import { sourceClaim } from './source-volume.ts';
import { updateFailed, wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot } from './types.ts';

/** Holds the source claim until the snapshot is there. Rejects with an Error in upstream's words. */
export const protectClaim = async (world: Snapshotting, snapshot: VolumeSnapshot): Promise<void> => {
  const claim = claimOf(world, snapshot);
  if (claim === undefined) throw updateFailed(nameOf(snapshot), 'cannot get claim from snapshot');
  if (hasFinalizer(claim, finalizers.claimAsSource)) return;
  if (isDeleting(claim))
    throw updateFailed(nameOf(claim), 'cannot add finalizer on claim because it is being deleted');
  const add = [finalizers.claimAsSource];
  await changeFinalizers(world.client, persistentVolumeClaims, { object: claim, add }).catch(
    (error: unknown) => {
      if (isConflict(error)) throw error;
      throw updateFailed(nameOf(claim), wordsOf(error), { cause: error });
    },
  );
};

/**
 * Lets go of the source claim when no snapshot is being taken of it any more; with `leaving`, this snapshot counts as gone. A
 * failure becomes an event, for a snapshot must not hang on it; a conflict rejects, to be tried again.
 */
export const releaseClaim = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
  { leaving }: { leaving: boolean },
): Promise<void> => {
  const claim = claimOf(world, snapshot);
  if (claim === undefined || !hasFinalizer(claim, finalizers.claimAsSource)) return;
  if (isBeingSnapshotted(world, claim, leaving ? snapshot : undefined)) return;
  const remove = [finalizers.claimAsSource];
  try {
    await changeFinalizers(world.client, persistentVolumeClaims, { object: claim, remove });
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error))
      world.recorder.event({
        object: snapshot,
        type: 'Warning',
        reason: 'ErrorPVCFinalizer',
        message: 'Error check and remove PVC Finalizer for VolumeSnapshot',
      });
    if (isConflict(error) || leaving) throw error;
  }
};

const claimOf = (world: Snapshotting, snapshot: VolumeSnapshot): PersistentVolumeClaim | undefined => {
  if (snapshot.spec.source.persistentVolumeClaimName === undefined) return undefined;
  try {
    return sourceClaim(world, snapshot);
  } catch {
    // A claim that is gone needs no finalizer.
    return undefined;
  }
};

const isBeingSnapshotted = (
  { snapshots }: Snapshotting,
  claim: PersistentVolumeClaim,
  except: VolumeSnapshot | undefined,
): boolean =>
  snapshots
    .byIndex('claim', keyOf(claim))
    .some((other) => !isSame(other, except) && other.status?.readyToUse !== true);

const isSame = (one: VolumeSnapshot, other: VolumeSnapshot | undefined): boolean =>
  other !== undefined && nameOf(one) === nameOf(other) && namespaceOf(one) === namespaceOf(other);
