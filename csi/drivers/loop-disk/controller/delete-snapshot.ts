import { failpoint } from '../../../../linux/failpoint.ts';
import type { DeleteSnapshotRequest, DeleteSnapshotResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import type { ControllerContext } from './context.ts';

/**
 * Deletes a snapshot; one that is not there is deleted. FAILED_PRECONDITION while a volume is being made from it,
 * INVALID_ARGUMENT for one of a group.
 */
export async function deleteSnapshot(
  { cloud }: ControllerContext,
  request: DeleteSnapshotRequest,
): Promise<DeleteSnapshotResponse> {
  await cloud.deleteSnapshot(required('snapshot_id', request.snapshotId));
  await failpoint('csi.delete-snapshot.after-snapshot');
  return {};
}
