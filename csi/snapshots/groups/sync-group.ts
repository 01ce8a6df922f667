import { isConflict } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import { reportFailure } from '../failure.ts';
import type { FailureOptions } from '../failure.ts';
import { changedFinalizers } from '../finalizers.ts';
import { finalizers, isDeleting, isUnset, nameOf, namespaceOf, refersTo } from '../names.ts';
import { volumeGroupSnapshots } from '../resources.ts';
import { updateFailed, wordsOf } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotContent } from '../types.ts';
import { bindGroupContent } from './bind-group-content.ts';
import { createGroupContent } from './create-group-content.ts';
import { createMembers } from './create-members.ts';
import { deleteGroup } from './delete-group.ts';
import { findGroupContent } from './find-group-content.ts';
import { chooseGroupClass } from './group-class.ts';
import { updateGroupStatus } from './group-status.ts';

/**
 * One step of a VolumeGroupSnapshot (external-snapshotter pkg/common-controller/groupsnapshot_controller_helper.go):
 *
 *   class, finalizer ─▶ content made or found ─▶ (driver works) ─▶ members made ─▶ ready
 *                               └──── deletionTimestamp ──▶ content and members deleted ─▶ finalizer gone
 */
export const syncGroup = async (world: Snapshotting, key: string): Promise<void> => {
  const known = world.groups.getByKey(key);
  if (known === undefined) return;
  if (isDeleting(known)) return deleteGroup(world, known);
  const chosenClass = await chooseGroupClass(world, known);
  await validateSource(world, known);
  const content = await findOrExplain(world, known);
  const group = await prepare(world, { group: known, chosenClass });
  const { readyToUse, boundVolumeGroupSnapshotContentName } = group.status ?? {};
  if (readyToUse === true && !isUnset(boundVolumeGroupSnapshotContentName)) return checkReady(world, group);
  await advance(world, group, content);
};

const report = (
  world: Snapshotting,
  object: VolumeGroupSnapshot,
  failure: Omit<FailureOptions<VolumeGroupSnapshot>, 'object'>,
) => reportFailure(world, volumeGroupSnapshots, { object, ...failure });

const validateSource = async (world: Snapshotting, group: VolumeGroupSnapshot): Promise<void> => {
  const { selector, volumeGroupSnapshotContentName } = group.spec.source;
  if ((selector === undefined) !== (volumeGroupSnapshotContentName === undefined)) return;
  const message = 'Exactly one of Selector and VolumeGroupSnapshotContentName should be specified';
  await report(world, group, { reason: 'GroupSnapshotValidationError', message });
  throw new Error(message);
};

const findOrExplain = async (world: Snapshotting, group: VolumeGroupSnapshot) => {
  try {
    return await findGroupContent(world, group);
  } catch (error) {
    tellFinalizerError(world, group, error);
    throw error;
  }
};

const tellFinalizerError = ({ recorder }: Snapshotting, object: VolumeGroupSnapshot, error: unknown) =>
  recorder.event({
    object,
    type: 'Warning',
    reason: 'GroupSnapshotFinalizerError',
    message: `Failed to check and update group snapshot: ${wordsOf(error)}`,
  });

/**
 * Class and finalizer in one write. Upstream sets the finalizer once the group is bound; here it is there before the content, or a
 * group that is deleted in between would leave its content behind.
 */
const prepare = async (
  world: Snapshotting,
  { group, chosenClass }: { group: VolumeGroupSnapshot; chosenClass: string | undefined },
): Promise<VolumeGroupSnapshot> => {
  const changed = changedFinalizers(group, { add: [finalizers.groupBound] });
  const setClass = chosenClass !== undefined && chosenClass !== group.spec.volumeGroupSnapshotClassName;
  if (changed === undefined && !setClass) return group;
  const { resourceVersion } = group.metadata ?? {};
  const patch = {
    metadata: { resourceVersion, ...(changed === undefined ? {} : { finalizers: changed }) },
    ...(setClass ? { spec: { volumeGroupSnapshotClassName: chosenClass } } : {}),
  };
  try {
    const name = { name: nameOf(group), namespace: namespaceOf(group) };
    return await world.client.resource(volumeGroupSnapshots).patch({ ...name, type: 'merge', patch });
  } catch (error) {
    if (isConflict(error)) throw error;
    const failure = updateFailed(keyOf(group), wordsOf(error), { cause: error });
    tellFinalizerError(world, group, failure);
    throw failure;
  }
};

/** A ready group snapshot only has its binding checked, from both sides. */
const checkReady = async (world: Snapshotting, group: VolumeGroupSnapshot): Promise<void> => {
  const name = group.status?.boundVolumeGroupSnapshotContentName ?? '';
  const content = world.groupContents.get({ name });
  if (content === undefined)
    await report(world, group, {
      reason: 'GroupSnapshotContentMissing',
      message: 'VolumeGroupSnapshotContent is missing',
    });
  else if (!refersTo(content.spec.volumeGroupSnapshotRef, group))
    await report(world, group, {
      reason: 'GroupSnapshotMisbound',
      message: 'VolumeGroupSnapshotContent is not bound to the VolumeGroupSnapshot correctly',
    });
};

const advance = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent | undefined,
): Promise<void> => {
  if (group.spec.source.volumeGroupSnapshotContentName !== undefined)
    return followStatus(world, group, await bindExisting(world, group, content));
  if (content !== undefined) await createMembers(world, group, content);
  await followStatus(world, group, content ?? (await createOrReport(world, group)));
};

const bindExisting = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent | undefined,
): Promise<VolumeGroupSnapshotContent> => {
  if (content !== undefined) return bindGroupContent(world, group, content);
  await report(world, group, {
    reason: 'GroupSnapshotContentMissing',
    message: 'VolumeGroupSnapshotContent is missing',
  });
  throw new Error(
    `group snapshot ${keyOf(group)} requests an non-existing group snapshot content ${group.spec.source.volumeGroupSnapshotContentName ?? ''}`,
  );
};

const createOrReport = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<VolumeGroupSnapshotContent> => {
  try {
    return await createGroupContent(world, group);
  } catch (error) {
    const message = `failed to create group snapshot content with error ${wordsOf(error)}`;
    await report(world, group, { reason: 'GroupSnapshotContentCreationFailed', message });
    throw error;
  }
};

const followStatus = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<void> => {
  try {
    await updateGroupStatus(world, group, content);
  } catch (error) {
    if (!isConflict(error)) {
      const message = `GroupSnapshot status update failed, ${wordsOf(error)}`;
      await report(world, group, {
        reason: 'GroupSnapshotStatusUpdateFailed',
        message,
        keepsReadiness: true,
      });
    }
    throw error;
  }
};
