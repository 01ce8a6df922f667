import type { ListSnapshotsRequest, ListSnapshotsResponse } from '../../../types.ts';
import { CloudError } from '../cloud/errors.ts';
import type { SnapshotView } from '../cloud/types.ts';
import { findVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { checkMaxEntries } from './list-volumes.ts';
import { snapshotOf } from './snapshot.ts';

/**
 * The snapshots of the cloud, of one volume, or a single one; one that is not there is an empty list. A wrong token:
 * ABORTED (CSI spec, ListSnapshots).
 */
export async function listSnapshots(
  context: ControllerContext,
  { maxEntries, startingToken, sourceVolumeId, snapshotId }: ListSnapshotsRequest,
): Promise<ListSnapshotsResponse> {
  checkMaxEntries(maxEntries);
  if (snapshotId !== '') {
    const found = await oneOrNone(context, snapshotId);
    const wanted = found.map((snapshot) => snapshotOf(context.vendor, snapshot));
    const entries = wanted.filter(
      (snapshot) => sourceVolumeId === '' || snapshot.sourceVolumeId === sourceVolumeId,
    );
    return { entries: entries.map((snapshot) => ({ snapshot })), nextToken: '' };
  }
  const disk =
    sourceVolumeId === '' ? {} : { disk: (await findVolume(context, sourceVolumeId))?.id ?? sourceVolumeId };
  const { items, next = '' } = await context.cloud.listSnapshots({
    limit: maxEntries,
    token: startingToken,
    ...disk,
  });
  return { entries: items.map((item) => ({ snapshot: snapshotOf(context.vendor, item) })), nextToken: next };
}

async function oneOrNone({ cloud }: ControllerContext, id: string): Promise<SnapshotView[]> {
  try {
    return [await cloud.getSnapshot(id)];
  } catch (error) {
    if (error instanceof CloudError && error.code === 'SNAPSHOT_NOT_FOUND') return [];
    throw error;
  }
}
