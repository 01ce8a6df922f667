import { annotations } from '../../../snapshots/names.ts';
import { volumeGroupSnapshotContents } from '../../../snapshots/resources.ts';
import type { VolumeGroupSnapshotContent } from '../../../snapshots/types.ts';
import { unmarkBeingCreated } from '../being-created.ts';
import type { Progress, Snapshotter } from '../snapshotter.ts';
import { createGroupSnapshot } from './create-group-snapshot.ts';
import { isGroupToBeReleased, releaseGroupContent } from './delete-group-snapshot.ts';
import { observeGroupSnapshot } from './observe-group-snapshot.ts';
import { takeStep } from '../take-step.ts';
import type { Step } from '../take-step.ts';

/**
 * One step of a group content of this driver's (external-snapshotter pkg/sidecar-controller/groupsnapshot_helper.go); as for a
 * single snapshot, with the calls of the group controller service. Resolves with `pending` while the driver has to be asked again.
 */
export const syncGroupContent = async (world: Snapshotter, name: string): Promise<Progress> => {
  const content = world.groupContents.getByKey(name);
  if (content === undefined || !isOurs(world, content)) return 'settled';
  if (isGroupToBeReleased(content)) {
    await releaseGroupContent(world, content);
    return 'settled';
  }
  if (content.status?.readyToUse === true) {
    const mark = { object: content, annotation: annotations.groupBeingCreated };
    await unmarkBeingCreated(world, volumeGroupSnapshotContents, mark);
    return 'settled';
  }
  const isNew = content.status === undefined && content.spec.source.groupSnapshotHandles === undefined;
  const step = isNew ? creation : observation;
  const advanced = await takeStep(world, volumeGroupSnapshotContents, { content, step });
  return advanced.status?.readyToUse === true ? 'settled' : 'pending';
};

const isOurs = ({ driver, groupClasses }: Snapshotter, { spec }: VolumeGroupSnapshotContent): boolean => {
  const { volumeHandles = [], groupSnapshotHandles } = spec.source;
  if (volumeHandles.length === 0 && groupSnapshotHandles === undefined) return false;
  const ofClass = groupClasses.get({ name: spec.volumeGroupSnapshotClassName ?? '' });
  return spec.driver === driver.name && (ofClass === undefined || ofClass.driver === driver.name);
};

const creation: Step<VolumeGroupSnapshotContent> = {
  act: createGroupSnapshot,
  reason: 'GroupSnapshotCreationFailed',
  words: 'Failed to create group snapshot',
};

const observation: Step<VolumeGroupSnapshotContent> = {
  act: observeGroupSnapshot,
  reason: 'GroupSnapshotContentCheckandUpdateFailed',
  words: 'Failed to check and update group snapshot content',
};
