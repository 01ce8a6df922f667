import { isConflict } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { bindContent } from './bind-content.ts';
import { createContent } from './create-content.ts';
import { deleteSnapshot } from './delete-snapshot.ts';
import { reportFailure } from './failure.ts';
import type { FailureOptions } from './failure.ts';
import { findContent } from './find-content.ts';
import { changedFinalizers } from './finalizers.ts';
import { adoptMember } from './groups/adopt-member.ts';
import { isGroupMember } from './groups/membership.ts';
import { finalizers, isDeleting, isUnset, nameOf, namespaceOf, refersTo } from './names.ts';
import { volumeSnapshots } from './resources.ts';
import { chooseClass } from './snapshot-class.ts';
import { updateSnapshotStatus } from './snapshot-status.ts';
import { updateFailed, wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from './types.ts';

/**
 * One step of a VolumeSnapshot (external-snapshotter pkg/common-controller/snapshot_controller.go). Looks at the present state only,
 * so it can be cut off anywhere and begun again:
 *
 *   class, finalizers ─▶ (claim held) ─▶ content made or found ─▶ bound ─▶ (driver works) ─▶ ready
 *                                                    └──── deletionTimestamp ──▶ content deleted ─▶ finalizers gone
 */
export const syncSnapshot = async (world: Snapshotting, key: string): Promise<void> => {
  const known = world.snapshots.getByKey(key);
  if (known === undefined) return;
  if (isDeleting(known)) return deleteSnapshot(world, known);
  const chosenClass = await chooseClass(world, known);
  await validateSource(world, known);
  const content = await findOrExplain(world, known);
  const snapshot = await prepare(world, { snapshot: known, chosenClass, content });
  const { readyToUse, boundVolumeSnapshotContentName } = snapshot.status ?? {};
  if (readyToUse === true && !isUnset(boundVolumeSnapshotContentName)) return checkReady(world, snapshot);
  await advance(world, snapshot, content);
};

type Report = Omit<FailureOptions<VolumeSnapshot>, 'object'>;

const report = (world: Snapshotting, object: VolumeSnapshot, failure: Report) =>
  reportFailure(world, volumeSnapshots, { object, ...failure });

/** The schema asks for it too; objects may be older than that. */
const validateSource = async (world: Snapshotting, snapshot: VolumeSnapshot): Promise<void> => {
  const { persistentVolumeClaimName, volumeSnapshotContentName } = snapshot.spec.source;
  if ((persistentVolumeClaimName === undefined) !== (volumeSnapshotContentName === undefined)) return;
  const message =
    'Exactly one of PersistentVolumeClaimName and VolumeSnapshotContentName should be specified';
  await report(world, snapshot, { reason: 'SnapshotValidationError', message });
  throw new Error(message);
};

const findOrExplain = async (world: Snapshotting, snapshot: VolumeSnapshot) => {
  // A group's members have contents of other names.
  if (isGroupMember(snapshot) && snapshot.spec.source.volumeSnapshotContentName === undefined)
    return world.contents.get({ name: snapshot.status?.boundVolumeSnapshotContentName ?? '' });
  try {
    return await findContent(world, snapshot);
  } catch (error) {
    tellFinalizerError(world, snapshot, error);
    throw error;
  }
};

const tellFinalizerError = ({ recorder }: Snapshotting, object: VolumeSnapshot, error: unknown) =>
  recorder.event({
    object,
    type: 'Warning',
    reason: 'SnapshotFinalizerError',
    message: `Failed to check and update snapshot: ${wordsOf(error)}`,
  });

/** Class and finalizers in one write. The snapshot is held before anything is made for it. */
const prepare = async (
  world: Snapshotting,
  {
    snapshot,
    chosenClass,
    content,
  }: {
    snapshot: VolumeSnapshot;
    chosenClass: string | undefined;
    content: VolumeSnapshotContent | undefined;
  },
): Promise<VolumeSnapshot> => {
  const isBound = !isUnset(snapshot.status?.boundVolumeSnapshotContentName);
  const holdsContent = isBound && content?.spec.deletionPolicy === 'Delete';
  const add = [finalizers.snapshotAsSource, ...(holdsContent ? [finalizers.snapshotBound] : [])];
  const changed = changedFinalizers(snapshot, { add });
  const setClass = chosenClass !== undefined && chosenClass !== snapshot.spec.volumeSnapshotClassName;
  if (changed === undefined && !setClass) return snapshot;
  const { resourceVersion } = snapshot.metadata ?? {};
  const patch = {
    metadata: { resourceVersion, ...(changed === undefined ? {} : { finalizers: changed }) },
    ...(setClass ? { spec: { volumeSnapshotClassName: chosenClass } } : {}),
  };
  try {
    const name = { name: nameOf(snapshot), namespace: namespaceOf(snapshot) };
    return await world.client.resource(volumeSnapshots).patch({ ...name, type: 'merge', patch });
  } catch (error) {
    if (isConflict(error)) throw error;
    const failure = updateFailed(keyOf(snapshot), wordsOf(error), { cause: error });
    tellFinalizerError(world, snapshot, failure);
    throw failure;
  }
};

/** A ready snapshot only has its binding checked, from both sides. */
const checkReady = async (world: Snapshotting, snapshot: VolumeSnapshot): Promise<void> => {
  const content = world.contents.get({ name: snapshot.status?.boundVolumeSnapshotContentName ?? '' });
  if (content === undefined) {
    await report(world, snapshot, {
      reason: 'SnapshotContentMissing',
      message: 'VolumeSnapshotContent is missing',
    });
  } else if (!refersTo(content.spec.volumeSnapshotRef, snapshot)) {
    await report(world, snapshot, {
      reason: 'SnapshotMisbound',
      message: 'VolumeSnapshotContent is not bound to the VolumeSnapshot correctly',
    });
  } else await adoptMember(world, snapshot);
};

const advance = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent | undefined,
): Promise<void> => {
  if (snapshot.spec.source.volumeSnapshotContentName !== undefined)
    return followStatus(world, snapshot, await bindExisting(world, snapshot, content));
  if (isGroupMember(snapshot)) return followStatus(world, snapshot, memberContent(snapshot, content));
  const current = content ?? (await createOrReport(world, snapshot));
  if (current !== undefined) await followStatus(world, snapshot, current);
};

const bindExisting = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent | undefined,
): Promise<VolumeSnapshotContent> => {
  if (content !== undefined) return bindContent(world, snapshot, content);
  await report(world, snapshot, {
    reason: 'SnapshotContentMissing',
    message: 'VolumeSnapshotContent is missing',
  });
  const { volumeSnapshotContentName = '' } = snapshot.spec.source;
  throw new Error(
    `snapshot ${keyOf(snapshot)} requests an non-existing content ${volumeSnapshotContentName}`,
  );
};

/** Made together with its content by the group, so both are there or soon will be. */
const memberContent = (
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent | undefined,
): VolumeSnapshotContent => {
  if (content !== undefined) return content;
  const key = keyOf(snapshot);
  const { boundVolumeSnapshotContentName: name } = snapshot.status ?? {};
  if (name === undefined) throw new Error(`detected group snapshot member ${key} with no content, retrying`);
  throw new Error(`group snapshot member ${key} requests an non-existing content ${name}`);
};

const createOrReport = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> => {
  try {
    return await createContent(world, snapshot);
  } catch (error) {
    if (!isConflict(error)) {
      const message = `Failed to create snapshot content with error ${wordsOf(error)}`;
      await report(world, snapshot, { reason: 'SnapshotContentCreationFailed', message });
    }
    throw error;
  }
};

const followStatus = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<void> => {
  try {
    await updateSnapshotStatus(world, snapshot, content);
  } catch (error) {
    if (!isConflict(error)) {
      const message = `Snapshot status update failed, ${wordsOf(error)}`;
      await report(world, snapshot, { reason: 'SnapshotStatusUpdateFailed', message, keepsReadiness: true });
    }
    throw error;
  }
};
