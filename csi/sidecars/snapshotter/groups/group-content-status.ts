import { isDeepStrictEqual } from 'node:util';
import { timeOf } from '../../../../client/clock.ts';
import { volumeGroupSnapshotContents } from '../../../snapshots/resources.ts';
import type {
  VolumeGroupSnapshotContent,
  VolumeGroupSnapshotContentStatus,
  VolumeSnapshotInfo,
} from '../../../snapshots/types.ts';
import type { Snapshot, VolumeGroupSnapshot } from '../../../types.ts';
import { patchStatus } from '../patch-status.ts';
import { nanosecondsOf } from '../snapshotter.ts';
import type { Snapshotter } from '../snapshotter.ts';

/**
 * Writes what the driver said of the group snapshot into the content's status. What is known stays, readiness follows the driver,
 * and getting ready ends the last error. Resolves with the content then.
 */
export const updateGroupContentStatus = async (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
  { groupSnapshotId, snapshots, creationTime, readyToUse }: VolumeGroupSnapshot,
): Promise<VolumeGroupSnapshotContent> => {
  const { error, ...known } = content.status ?? {};
  const becomesReady = readyToUse && known.readyToUse !== true;
  const status: VolumeGroupSnapshotContentStatus = {
    volumeGroupSnapshotHandle: groupSnapshotId,
    creationTime: timeOf(nanosecondsOf(creationTime, world.clock) / 1e6),
    ...(snapshots.length > 0 ? { volumeSnapshotInfoList: snapshots.map(infoOf) } : {}),
    ...known,
    ...(error === undefined || becomesReady ? {} : { error }),
    readyToUse,
  };
  if (isDeepStrictEqual(status, content.status)) return content;
  const dropped = status.error === undefined ? { error: null } : {};
  return patchStatus(world, volumeGroupSnapshotContents, { content, status: { ...status, ...dropped } });
};

const infoOf = ({
  sourceVolumeId,
  snapshotId,
  creationTime,
  readyToUse,
  sizeBytes,
}: Snapshot): VolumeSnapshotInfo => ({
  volumeHandle: sourceVolumeId,
  snapshotHandle: snapshotId,
  readyToUse,
  ...(creationTime === null ? {} : { creationTime: creationTime.seconds * 1e9 + creationTime.nanos }),
  ...(sizeBytes === 0 ? {} : { restoreSize: sizeBytes }),
});

/** After the driver has deleted the group snapshot: nothing that would call it again is left. */
export const clearGroupContentStatus = (
  world: Snapshotter,
  content: VolumeGroupSnapshotContent,
): Promise<VolumeGroupSnapshotContent> =>
  patchStatus(world, volumeGroupSnapshotContents, {
    content,
    status: { volumeGroupSnapshotHandle: null, readyToUse: null, creationTime: null, error: null },
  });
