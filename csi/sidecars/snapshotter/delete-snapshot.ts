import { quote } from '../../../api/go-format.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { isConflict, isNotFound } from '../../../client/errors.ts';
import { errorInWords } from '../../error.ts';
import { changeFinalizers } from '../../snapshots/finalizers.ts';
import { annotationOf, annotations, finalizers, isDeleting, isUnset, nameOf } from '../../snapshots/names.ts';
import { volumeSnapshotContents } from '../../snapshots/resources.ts';
import { updateFailed, wordsOf } from '../../snapshots/snapshotting.ts';
import type { VolumeSnapshotContent } from '../../snapshots/types.ts';
import { clearContentStatus } from './content-status.ts';
import { annotatedCredentials } from './credentials.ts';
import type { Snapshotter } from './snapshotter.ts';

/**
 * Whether the content is to be let go: it is being deleted, nobody is making its snapshot, and either the snapshot controller
 * has said that its VolumeSnapshot goes too, or it never had one.
 */
export const isToBeReleased = (content: VolumeSnapshotContent): boolean => {
  if (!isDeleting(content)) return false;
  const { source, volumeSnapshotRef } = content.spec;
  if (source.snapshotHandle !== undefined && isUnset(volumeSnapshotRef.uid)) return true;
  if (annotationOf(content, annotations.beingCreated) !== undefined) return false;
  return annotationOf(content, annotations.beingDeleted) !== undefined;
};

/** Deletes the snapshot below the content, where the policy says so, then lets the content go. Rejects in upstream's words. */
export const releaseContent = async (world: Snapshotter, content: VolumeSnapshotContent): Promise<void> => {
  const { snapshotHandle, volumeGroupSnapshotHandle } = content.status ?? {};
  const takesSnapshot = content.spec.deletionPolicy === 'Delete';
  // Snapshots of a group go with the group, in one call.
  const released =
    takesSnapshot && snapshotHandle !== undefined && volumeGroupSnapshotHandle === undefined
      ? await deleteSnapshot(world, content, snapshotHandle)
      : content;
  await changeFinalizers(world.client, volumeSnapshotContents, {
    object: released,
    remove: [finalizers.contentBound],
  }).catch((error: unknown) => {
    if (isNotFound(error)) return;
    if (isConflict(error)) throw error;
    throw updateFailed(nameOf(content), wordsOf(error), { cause: error });
  });
};

const deleteSnapshot = async (
  world: Snapshotter,
  content: VolumeSnapshotContent,
  snapshotId: string,
): Promise<VolumeSnapshotContent> => {
  const name = nameOf(content);
  const fail = (message: string, why: string) => (error: unknown) => {
    world.recorder.event({ object: content, type: 'Warning', reason: 'SnapshotDeleteError', message });
    throw new Error(why, { cause: error });
  };
  const secrets = await annotatedCredentials(world, content, {
    what: 'snapshot content',
    name: annotations.deletionSecretName,
    namespace: annotations.deletionSecretNamespace,
  }).catch((error: unknown) =>
    fail(
      'Failed to get snapshot credentials',
      `failed to get input parameters to delete snapshot for content ${name}: ${quote(wordsOf(error))}`,
    )(error),
  );
  await failpoint('csi.snapshotter.before-delete');
  const { timeoutMs } = world;
  await world.driver.controller
    .deleteSnapshot({ snapshotId, secrets }, { timeoutMs })
    .catch((error: unknown) => {
      const answer = `failed to delete snapshot content ${name}: ${quote(errorInWords(error))}`;
      return fail(
        'Failed to delete snapshot',
        `failed to delete snapshot ${quote(name)}, err: ${answer}`,
      )(error);
    });
  await failpoint('csi.snapshotter.after-delete');
  return clearContentStatus(world, content).catch((error: unknown) =>
    fail('Failed to clear content status', wordsOf(error))(error),
  );
};
