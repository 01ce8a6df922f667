import { isDeepStrictEqual } from 'node:util';
import { volumeSnapshotContents } from '../../snapshots/resources.ts';
import type { VolumeSnapshotContent, VolumeSnapshotContentStatus } from '../../snapshots/types.ts';
import type { Snapshot } from '../../types.ts';
import { patchStatus } from './patch-status.ts';
import { nanosecondsOf } from './snapshotter.ts';
import type { Snapshotter } from './snapshotter.ts';

/** Writes what the driver said of the snapshot into the content's status. Resolves with the content then. */
export const updateContentStatus = async (
  world: Snapshotter,
  content: VolumeSnapshotContent,
  snapshot: Snapshot,
): Promise<VolumeSnapshotContent> => {
  const creationTime = nanosecondsOf(snapshot.creationTime, world.clock);
  const status = contentStatusOf(content.status, { ...snapshot, creationTime });
  if (isDeepStrictEqual(status, content.status)) return content;
  const dropped = content.status?.error !== undefined && status.error === undefined ? { error: null } : {};
  return patchStatus(world, volumeSnapshotContents, { content, status: { ...status, ...dropped } });
};

export interface ObservedSnapshot extends Pick<
  Snapshot,
  'snapshotId' | 'sizeBytes' | 'readyToUse' | 'groupSnapshotId'
> {
  /** Nanoseconds since the epoch. */
  creationTime: number;
}

/** What is known stays, readiness follows the driver, and getting ready ends the last error. */
export const contentStatusOf = (
  before: VolumeSnapshotContentStatus = {},
  { snapshotId, sizeBytes, readyToUse, groupSnapshotId, creationTime }: ObservedSnapshot,
): VolumeSnapshotContentStatus => {
  const { error, ...known } = before;
  const becomesReady = readyToUse && before.readyToUse !== true;
  return {
    snapshotHandle: snapshotId,
    creationTime,
    ...(sizeBytes > 0 ? { restoreSize: sizeBytes } : {}),
    ...(groupSnapshotId === '' ? {} : { volumeGroupSnapshotHandle: groupSnapshotId }),
    ...known,
    ...(error === undefined || becomesReady ? {} : { error }),
    readyToUse,
  };
};

/** After the driver has deleted the snapshot: nothing that would call it again is left. */
export const clearContentStatus = (
  world: Snapshotter,
  content: VolumeSnapshotContent,
): Promise<VolumeSnapshotContent> =>
  patchStatus(world, volumeSnapshotContents, {
    content,
    status: { snapshotHandle: null, readyToUse: null, creationTime: null, restoreSize: null },
  });
