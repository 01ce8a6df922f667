import { changeFinalizers } from '../finalizers.ts';
import { finalizers, hasFinalizer, isDeleting, isUnset } from '../names.ts';
import { volumeGroupSnapshotContents } from '../resources.ts';
import type { Snapshotting } from '../snapshotting.ts';

/** One step of a VolumeGroupSnapshotContent: once it belongs to a group snapshot it is held until the driver has let go of it. */
export const syncGroupContent = async (world: Snapshotting, name: string): Promise<void> => {
  const content = world.groupContents.getByKey(name);
  if (content === undefined) return;
  const { source, volumeGroupSnapshotRef } = content.spec;
  const hasVolumes = source.volumeHandles !== undefined && source.volumeHandles.length > 0;
  if (hasVolumes === (source.groupSnapshotHandles !== undefined)) {
    const message = 'Exactly one of GroupSnapshotHandles and VolumeHandles should be specified';
    world.recorder.event({
      object: content,
      type: 'Warning',
      reason: 'GroupContentValidationError',
      message,
    });
    throw new Error(message);
  }
  if (isUnset(volumeGroupSnapshotRef.uid)) return;
  if (isDeleting(content) || hasFinalizer(content, finalizers.groupContentBound)) return;
  await changeFinalizers(world.client, volumeGroupSnapshotContents, {
    object: content,
    add: [finalizers.groupContentBound],
  });
};
