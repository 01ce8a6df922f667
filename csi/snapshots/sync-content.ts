import { isDeleting, hasFinalizer, isUnset, finalizers } from './names.ts';
import { changeFinalizers } from './finalizers.ts';
import { volumeSnapshotContents } from './resources.ts';
import type { Snapshotting } from './snapshotting.ts';

/**
 * One step of a VolumeSnapshotContent: once it belongs to a snapshot it is held until the driver has let go of it. The rest is
 * done by the snapshot, which is looked at whenever its content changes.
 *
 * A content whose snapshot is missing is left alone: manifests may have been copied from another cluster, and deleting the content
 * would delete the data.
 */
export const syncContent = async (world: Snapshotting, name: string): Promise<void> => {
  const content = world.contents.getByKey(name);
  if (content === undefined) return;
  const { source, volumeSnapshotRef } = content.spec;
  if ((source.volumeHandle === undefined) === (source.snapshotHandle === undefined)) {
    const message = 'Exactly one of VolumeHandle and SnapshotHandle should be specified';
    world.recorder.event({ object: content, type: 'Warning', reason: 'ContentValidationError', message });
    throw new Error(message);
  }
  if (isUnset(volumeSnapshotRef.uid)) return;
  if (isDeleting(content) || hasFinalizer(content, finalizers.contentBound)) return;
  await changeFinalizers(world.client, volumeSnapshotContents, {
    object: content,
    add: [finalizers.contentBound],
  });
};
