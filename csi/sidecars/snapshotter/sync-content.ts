import { isConflict, isNotFound } from '../../../client/errors.ts';
import { reportFailure } from '../../snapshots/failure.ts';
import { annotations } from '../../snapshots/names.ts';
import { volumeSnapshotContents } from '../../snapshots/resources.ts';
import { wordsOf } from '../../snapshots/snapshotting.ts';
import type { VolumeSnapshotContent } from '../../snapshots/types.ts';
import { unmarkBeingCreated } from './being-created.ts';
import { createSnapshot } from './create-snapshot.ts';
import { isToBeReleased, releaseContent } from './delete-snapshot.ts';
import { isOfGroup, observeSnapshot } from './observe-snapshot.ts';
import type { Progress, Snapshotter } from './snapshotter.ts';

/**
 * One step of a content of this driver's (external-snapshotter pkg/sidecar-controller/snapshot_controller.go):
 *
 *   volume handle ─▶ marked being-created ─▶ CreateSnapshot ─▶ status ─▶ unmarked ─▶ (asked again until ready) ─▶ ready
 *   snapshot handle ──────────────────────▶ ListSnapshots ──▶ status ──────────────▶ (asked again until ready) ─▶ ready
 *
 * Resolves with `pending` while the driver has to be asked again.
 */
export const syncContent = async (world: Snapshotter, name: string): Promise<Progress> => {
  const content = world.contents.getByKey(name);
  if (content === undefined || !isOurs(world, content)) return 'settled';
  if (isToBeReleased(content)) {
    await releaseContent(world, content);
    return 'settled';
  }
  if (content.status?.readyToUse === true) {
    const mark = { object: content, annotation: annotations.beingCreated };
    await unmarkBeingCreated(world, volumeSnapshotContents, mark);
    return 'settled';
  }
  const isNew = content.status === undefined && content.spec.source.volumeHandle !== undefined;
  const advanced =
    isNew && !isOfGroup(content)
      ? await explained(world, content, creation)
      : await explained(world, content, observation);
  return advanced.status?.readyToUse === true ? 'settled' : 'pending';
};

/** Whether the content is of this driver, and its class too. */
const isOurs = ({ driver, classes }: Snapshotter, { spec }: VolumeSnapshotContent): boolean => {
  const { volumeHandle, snapshotHandle } = spec.source;
  if (volumeHandle === undefined && snapshotHandle === undefined) return false;
  const ofClass = classes.get({ name: spec.volumeSnapshotClassName ?? '' });
  return spec.driver === driver.name && (ofClass === undefined || ofClass.driver === driver.name);
};

interface Step {
  act: (world: Snapshotter, content: VolumeSnapshotContent) => Promise<VolumeSnapshotContent>;
  reason: string;
  words: string;
}

const creation: Step = {
  act: createSnapshot,
  reason: 'SnapshotCreationFailed',
  words: 'Failed to create snapshot',
};

const observation: Step = {
  act: observeSnapshot,
  reason: 'SnapshotContentCheckandUpdateFailed',
  words: 'Failed to check and update snapshot content',
};

/** A failure stands in the content's status too, from where it comes to the user's snapshot. */
const explained = async (
  world: Snapshotter,
  content: VolumeSnapshotContent,
  { act, reason, words }: Step,
) => {
  try {
    return await act(world, content);
  } catch (error) {
    if (isConflict(error)) throw error;
    const message = `${words}: ${wordsOf(error)}`;
    await reportFailure(world, volumeSnapshotContents, { object: content, reason, message }).catch(
      (unwritten: unknown) => {
        if (!isNotFound(unwritten)) throw unwritten;
      },
    );
    throw error;
  }
};
