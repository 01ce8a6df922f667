import { quote } from '../../../../api/go-format.ts';
import { isConflict, isNotFound } from '../../../../client/errors.ts';
import { errorInWords } from '../../../error.ts';
import { changeFinalizers } from '../../../snapshots/finalizers.ts';
import {
  annotationOf,
  annotations,
  finalizers,
  isDeleting,
  isUnset,
  nameOf,
} from '../../../snapshots/names.ts';
import { volumeGroupSnapshotContents } from '../../../snapshots/resources.ts';
import { updateFailed, wordsOf } from '../../../snapshots/snapshotting.ts';
import type { VolumeGroupSnapshotContent } from '../../../snapshots/types.ts';
import type { Snapshotter } from '../snapshotter.ts';
import { clearGroupContentStatus } from './group-content-status.ts';
import { groupCredentials } from './group-credentials.ts';

/** Whether the content is to be let go; the same rules as for a single snapshot's. */
export const isGroupToBeReleased = (content: VolumeGroupSnapshotContent): boolean => {
  if (!isDeleting(content)) return false;
  const { source, volumeGroupSnapshotRef } = content.spec;
  if (source.groupSnapshotHandles !== undefined && isUnset(volumeGroupSnapshotRef.uid)) return true;
  if (annotationOf(content, annotations.groupBeingCreated) !== undefined) return false;
  return annotationOf(content, annotations.groupBeingDeleted) !== undefined;
};

/** Deletes the snapshots below the content, where the policy says so, then lets the content go. Rejects in upstream's words. */
export const releaseGroupContent = async (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
): Promise<void> => {
  const { volumeGroupSnapshotHandle } = content.status ?? {};
  const takesSnapshots = content.spec.deletionPolicy === 'Delete' && volumeGroupSnapshotHandle !== undefined;
  const released = takesSnapshots
    ? await deleteGroupSnapshot(world, content, volumeGroupSnapshotHandle)
    : content;
  await changeFinalizers(world.client, volumeGroupSnapshotContents, {
    object: released,
    remove: [finalizers.groupContentBound],
  }).catch((error: unknown) => {
    if (isNotFound(error)) return;
    if (isConflict(error)) throw error;
    throw updateFailed(nameOf(content), wordsOf(error), { cause: error });
  });
};

const deleteGroupSnapshot = async (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
  groupSnapshotId: string,
): Promise<VolumeGroupSnapshotContent> => {
  const name = nameOf(content);
  const fail = (message: string, why: string, error: unknown): never => {
    world.recorder.event({ object: content, type: 'Warning', reason: 'GroupSnapshotDeleteError', message });
    throw new Error(why, { cause: error });
  };
  const secrets = await groupCredentials(world, content).catch((error: unknown) =>
    fail(
      'Failed to get snapshot credentials',
      `failed to get input parameters to delete group snapshot for group snapshot content ${name}: ${quote(wordsOf(error))}`,
      error,
    ),
  );
  const request = { groupSnapshotId, snapshotIds: snapshotIdsOf(content), secrets };
  const { driver, timeoutMs } = world;
  await driver.groupController
    .deleteVolumeGroupSnapshot(request, { timeoutMs })
    .catch((error: unknown) =>
      fail(
        'Failed to delete group snapshot',
        `failed to delete group snapshot ${quote(name)}, err: ${errorInWords(error)}`,
        error,
      ),
    );
  return clearGroupContentStatus(world, content).catch((error: unknown) =>
    fail('Failed to clear content status', wordsOf(error), error),
  );
};

/** The driver wants all of them; those of a group that existed before are in the content's source. */
const snapshotIdsOf = ({ spec, status }: VolumeGroupSnapshotContent): string[] => {
  const taken = status?.volumeSnapshotInfoList ?? [];
  if (taken.length > 0) return taken.map(({ snapshotHandle = '' }) => snapshotHandle);
  return spec.source.groupSnapshotHandles?.volumeSnapshotHandles ?? [];
};
