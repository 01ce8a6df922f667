import type { GetSnapshotRequest, GetSnapshotResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import type { ControllerContext } from './context.ts';
import { snapshotOf } from './snapshot.ts';

/** A snapshot as it is now. NOT_FOUND. */
export async function getSnapshot(
  { cloud, vendor }: ControllerContext,
  request: GetSnapshotRequest,
): Promise<GetSnapshotResponse> {
  return {
    snapshot: snapshotOf(vendor, await cloud.getSnapshot(required('snapshot_id', request.snapshotId))),
  };
}
