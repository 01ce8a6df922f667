import { isConflict, isNotFound } from '../../client/errors.ts';
import { persistentVolumeClaims } from '../../client/resources.ts';
import { changeFinalizers } from './finalizers.ts';
import { finalizers, hasFinalizer, isDeleting, nameOf } from './names.ts';
import { updateFailed, wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot } from './types.ts';

/**
 * One step of a claim: it is held from before a snapshot of it is asked for until no unready one is left. A step of its own, for
 * several snapshots of one claim would take the finalizer from each other.
 */
export const syncClaim = async (world: Snapshotting, key: string): Promise<void> => {
  const claim = world.claims.getByKey(key);
  if (claim === undefined) return;
  const unready = world.snapshots.byIndex('claim', key).filter(({ status }) => status?.readyToUse !== true);
  const isHeld = hasFinalizer(claim, finalizers.claimAsSource);
  const holds = !isDeleting(claim) && unready.some(isAboutToBeTaken);
  const change = [finalizers.claimAsSource];
  try {
    if (!isHeld && holds)
      await changeFinalizers(world.client, persistentVolumeClaims, { object: claim, add: change });
    if (isHeld && unready.length === 0)
      await changeFinalizers(world.client, persistentVolumeClaims, { object: claim, remove: change });
  } catch (error) {
    if (isNotFound(error)) return;
    if (!isConflict(error)) for (const snapshot of unready) tell(world, snapshot);
    throw isConflict(error) ? error : updateFailed(nameOf(claim), wordsOf(error), { cause: error });
  }
};

/** Its class is known and its source is well-formed: the snapshot itself is held by then. */
const isAboutToBeTaken = (snapshot: VolumeSnapshot): boolean =>
  !isDeleting(snapshot) && hasFinalizer(snapshot, finalizers.snapshotAsSource);

const tell = ({ recorder }: Snapshotting, object: VolumeSnapshot) =>
  recorder.event({
    object,
    type: 'Warning',
    reason: 'ErrorPVCFinalizer',
    message: 'Error check and remove PVC Finalizer for VolumeSnapshot',
  });
