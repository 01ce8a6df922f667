import { quote } from '../../api/go-format.ts';
import type { PersistentVolumeClaim } from '../../api/types.ts';
import { isConflict, isNotFound } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { changeFinalizers } from './finalizers.ts';
import { ownerGroupName } from './groups/membership.ts';
import { orMissing } from './present.ts';
import { annotationOf, annotations, dynamicContentName, finalizers } from './names.ts';
import { hasFinalizer, isDeleting, isUnset, nameOf, namespaceOf, refersTo, uidOf } from './names.ts';
import { snapshotGroup, volumeSnapshotContents, volumeSnapshots } from './resources.ts';
import { updateFailed, wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from './types.ts';

/**
 * One step of a snapshot that is being deleted. With the policy Delete its content goes first, and the snapshot stays until then;
 * with Retain the content is only told. Rejects, to be tried again, while a claim is being restored from it and while its group
 * is there.
 */
export const deleteSnapshot = async (world: Snapshotting, snapshot: VolumeSnapshot): Promise<void> => {
  if (!isHeldByUs(snapshot)) return;
  const content = await boundContent(world, snapshot);
  if (content !== undefined && isBeingRestored(world, snapshot))
    throw pending(
      world,
      snapshot,
      'Snapshot is being used to restore a PVC',
      `snapshot ${keyOf(snapshot)} is in use (being used to restore a PVC), will retry deletion`,
    );
  const leavesGroup = refuseInGroup(world, snapshot);
  const takesContent = content?.spec.deletionPolicy === 'Delete';
  if (content !== undefined) await announceDeletion(world, content);
  if (content !== undefined && takesContent) await deleteContent(world, snapshot, content);
  await letGo(world, snapshot, [
    finalizers.snapshotAsSource,
    ...(takesContent ? [] : [finalizers.snapshotBound]),
    ...(leavesGroup ? [finalizers.snapshotInGroup] : []),
  ]);
};

const isHeldByUs = (snapshot: VolumeSnapshot): boolean =>
  [finalizers.snapshotAsSource, finalizers.snapshotBound, finalizers.snapshotInGroup].some((finalizer) =>
    hasFinalizer(snapshot, finalizer),
  );

/** The content, when it points back; the status may not tell it yet. */
const boundContent = async (
  { client, contents }: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> => {
  const { boundVolumeSnapshotContentName: bound } = snapshot.status ?? {};
  const named = snapshot.spec.source.volumeSnapshotContentName ?? dynamicContentName(uidOf(snapshot));
  const name = isUnset(bound) ? named : bound;
  const isBound = (content: VolumeSnapshotContent | undefined) =>
    content !== undefined && refersTo(content.spec.volumeSnapshotRef, snapshot);
  const known = contents.get({ name });
  if (isBound(known) || isUnset(name)) return known;
  // It may have been made or bound a moment ago: what is not in the cache must not be left behind.
  const present = await orMissing(client.resource(volumeSnapshotContents).get({ name }));
  return isBound(present) ? present : undefined;
};

/** Whether a claim of its namespace that has no volume yet is to be filled from the snapshot. */
export const isBeingRestored = ({ claims }: Snapshotting, snapshot: VolumeSnapshot): boolean =>
  claims
    .list({ namespace: namespaceOf(snapshot) })
    .some((claim) => claim.status?.phase === 'Pending' && restoredFrom(claim) === nameOf(snapshot));

/** The name of the snapshot that the claim is restored from, if it is. */
export const restoredFrom = ({ spec }: PersistentVolumeClaim): string | undefined => {
  const { kind, apiGroup, name } = spec?.dataSource ?? {};
  return kind === 'VolumeSnapshot' && apiGroup === snapshotGroup ? name : undefined;
};

const pending = (
  { recorder }: Snapshotting,
  object: VolumeSnapshot,
  message: string,
  why = message,
): Error => {
  recorder.event({ object, type: 'Warning', reason: 'SnapshotDeletePending', message });
  return new Error(why);
};

/** Throws while the snapshot's group is there; true when it was part of one that is gone. */
const refuseInGroup = (world: Snapshotting, snapshot: VolumeSnapshot): boolean => {
  const name = snapshot.status?.volumeGroupSnapshotName ?? ownerGroupName(snapshot);
  if (name === undefined) return false;
  const group = world.groups.get({ namespace: namespaceOf(snapshot), name });
  if (group === undefined) return true;
  throw pending(
    world,
    snapshot,
    `deletion of the individual volume snapshot ${keyOf(snapshot)} is not allowed as it belongs to group snapshot ${keyOf(group)}. Deleting the group snapshot will trigger the deletion of all the individual volume snapshots that are part of the group.`,
  );
};

/** Whatever the policy: only with this annotation does the sidecar let go of a content. */
const announceDeletion = async ({ client }: Snapshotting, content: VolumeSnapshotContent): Promise<void> => {
  if (annotationOf(content, annotations.beingDeleted) !== undefined) return;
  await client
    .resource(volumeSnapshotContents)
    .patch({
      name: nameOf(content),
      type: 'merge',
      patch: { metadata: { annotations: { [annotations.beingDeleted]: 'yes' } } },
    })
    .catch((error: unknown) => {
      if (isNotFound(error)) return;
      throw updateFailed(nameOf(content), wordsOf(error), { cause: error });
    });
};

const deleteContent = async (
  { client, recorder }: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<void> => {
  if (isDeleting(content)) return;
  const preconditions = { uid: uidOf(content) };
  try {
    await client.resource(volumeSnapshotContents).delete({ name: nameOf(content), preconditions });
  } catch (error) {
    if (isNotFound(error)) return;
    if (isConflict(error)) throw error;
    const message = 'Failed to delete snapshot content API object';
    recorder.event({
      object: snapshot,
      type: 'Warning',
      reason: 'SnapshotContentObjectDeleteError',
      message,
    });
    throw new Error(
      `failed to delete VolumeSnapshotContent ${nameOf(content)} from API server: ${quote(wordsOf(error))}`,
      { cause: error },
    );
  }
};

const letGo = async ({ client }: Snapshotting, object: VolumeSnapshot, remove: string[]): Promise<void> => {
  await changeFinalizers(client, volumeSnapshots, { object, remove }).catch((error: unknown) => {
    if (isNotFound(error)) return;
    if (isConflict(error)) throw error;
    throw updateFailed(nameOf(object), wordsOf(error), { cause: error });
  });
};
