import { quote } from '../../../api/go-format.ts';
import { isConflict, isNotFound } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import { isBeingRestored } from '../delete-snapshot.ts';
import { changeFinalizers } from '../finalizers.ts';
import { annotationOf, annotations, dynamicGroupContentName, finalizers, hasFinalizer } from '../names.ts';
import { isDeleting, isUnset, nameOf, namespaceOf, refersTo, uidOf } from '../names.ts';
import { orMissing } from '../present.ts';
import { volumeGroupSnapshotContents, volumeGroupSnapshots, volumeSnapshots } from '../resources.ts';
import { updateFailed, wordsOf } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotContent, VolumeSnapshot } from '../types.ts';

/**
 * One step of a group snapshot that is being deleted: its content first (with the policy Delete it stays until that is gone), then
 * its members. Rejects, to be tried again, while a claim is being restored from one of them.
 */
export const deleteGroup = async (world: Snapshotting, group: VolumeGroupSnapshot): Promise<void> => {
  if (!hasFinalizer(group, finalizers.groupBound)) return;
  const content = await boundContent(world, group);
  const members = world.snapshots.byIndex('group', keyOf(group));
  refuseWhileRestored(world, group, members);
  const takesContent = content?.spec.deletionPolicy === 'Delete';
  if (content !== undefined) await announceDeletion(world, content);
  if (content !== undefined && takesContent) await deleteContent(world, group, content);
  for (const member of members) await deleteMember(world, group, member);
  if (takesContent) return;
  const remove = [finalizers.groupBound];
  await changeFinalizers(world.client, volumeGroupSnapshots, { object: group, remove }).catch(
    (error: unknown) => {
      if (isNotFound(error)) return;
      if (isConflict(error)) throw error;
      throw updateFailed(nameOf(group), wordsOf(error), { cause: error });
    },
  );
};

/** The content, when it points back; the status may not tell it yet. */
const boundContent = async (
  { client, groupContents }: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<VolumeGroupSnapshotContent | undefined> => {
  const { boundVolumeGroupSnapshotContentName: bound } = group.status ?? {};
  const named = group.spec.source.volumeGroupSnapshotContentName ?? dynamicGroupContentName(uidOf(group));
  const name = isUnset(bound) ? named : bound;
  const isBound = (content: VolumeGroupSnapshotContent | undefined) =>
    content !== undefined && refersTo(content.spec.volumeGroupSnapshotRef, group);
  const known = groupContents.get({ name });
  if (isBound(known) || isUnset(name)) return known;
  // It may have been made or bound a moment ago: what is not in the cache must not be left behind.
  const present = await orMissing(client.resource(volumeGroupSnapshotContents).get({ name }));
  return isBound(present) ? present : undefined;
};

const refuseWhileRestored = (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  members: VolumeSnapshot[],
): void => {
  const restored = members.find((member) => isBeingRestored(world, member));
  if (restored === undefined) return;
  const message = `Snapshot ${keyOf(restored)} belonging to VolumeGroupSnapshot ${keyOf(group)} is being used to restore a PVC`;
  world.recorder.event({ object: group, type: 'Warning', reason: 'SnapshotDeletePending', message });
  throw new Error(`${message}: snapshot is in use, will retry deletion`);
};

/** Whatever the policy: only with this annotation does the sidecar let go of a content. */
const announceDeletion = async (
  { client }: Snapshotting,
  content: VolumeGroupSnapshotContent,
): Promise<void> => {
  if (annotationOf(content, annotations.groupBeingDeleted) !== undefined) return;
  const patch = { metadata: { annotations: { [annotations.groupBeingDeleted]: 'yes' } } };
  await client
    .resource(volumeGroupSnapshotContents)
    .patch({ name: nameOf(content), type: 'merge', patch })
    .catch((error: unknown) => {
      if (isNotFound(error)) return;
      throw updateFailed(nameOf(content), wordsOf(error), { cause: error });
    });
};

const deleteContent = async (
  { client, recorder }: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<void> => {
  if (isDeleting(content)) return;
  const preconditions = { uid: uidOf(content) };
  try {
    await client.resource(volumeGroupSnapshotContents).delete({ name: nameOf(content), preconditions });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isConflict(error)) throw error;
    recorder.event({
      object: group,
      type: 'Warning',
      reason: 'GroupSnapshotContentObjectDeleteError',
      message: 'Failed to delete group snapshot content API object',
    });
    throw new Error(
      `failed to delete VolumeGroupSnapshotContent ${nameOf(content)} from API server: ${quote(wordsOf(error))}`,
      { cause: error },
    );
  }
};

const deleteMember = async (
  { client, recorder }: Snapshotting,
  group: VolumeGroupSnapshot,
  member: VolumeSnapshot,
): Promise<void> => {
  if (isDeleting(member)) return;
  try {
    const name = { name: nameOf(member), namespace: namespaceOf(member) };
    await client.resource(volumeSnapshots).delete({ ...name, preconditions: { uid: uidOf(member) } });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isConflict(error)) throw error;
    const message = `failed to delete snapshot API object ${keyOf(member)} part of group snapshot ${keyOf(group)}: ${wordsOf(error)}`;
    recorder.event({ object: group, type: 'Warning', reason: 'SnapshotDeleteError', message });
    throw new Error(message, { cause: error });
  }
};
