import { annotations } from '../../snapshots/names.ts';
import { volumeSnapshotContents } from '../../snapshots/resources.ts';
import type { VolumeSnapshotContent } from '../../snapshots/types.ts';
import { unmarkBeingCreated } from './being-created.ts';
import { createSnapshot } from './create-snapshot.ts';
import { isToBeReleased, releaseContent } from './delete-snapshot.ts';
import { isOfGroup, observeSnapshot } from './observe-snapshot.ts';
import type { Progress, Snapshotter } from './snapshotter.ts';
import { takeStep } from './take-step.ts';
import type { Step } from './take-step.ts';

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
  const step = isNew && !isOfGroup(content) ? creation : observation;
  const advanced = await takeStep(world, volumeSnapshotContents, { content, step });
  return advanced.status?.readyToUse === true ? 'settled' : 'pending';
};

/** Whether the content is of this driver, and its class too. */
const isOurs = ({ driver, classes }: Snapshotter, { spec }: VolumeSnapshotContent): boolean => {
  const { volumeHandle, snapshotHandle } = spec.source;
  if (volumeHandle === undefined && snapshotHandle === undefined) return false;
  const ofClass = classes.get({ name: spec.volumeSnapshotClassName ?? '' });
  return spec.driver === driver.name && (ofClass === undefined || ofClass.driver === driver.name);
};

const creation: Step<VolumeSnapshotContent> = {
  act: createSnapshot,
  reason: 'SnapshotCreationFailed',
  words: 'Failed to create snapshot',
};

const observation: Step<VolumeSnapshotContent> = {
  act: observeSnapshot,
  reason: 'SnapshotContentCheckandUpdateFailed',
  words: 'Failed to check and update snapshot content',
};
