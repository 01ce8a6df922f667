import { failpoint } from '../../../../linux/failpoint.ts';
import type { DeleteVolumeRequest, DeleteVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { findVolume } from './context.ts';
import type { ControllerContext } from './context.ts';

/**
 * Deletes a disk. One that is not there is deleted (CSI spec, DeleteVolume). FAILED_PRECONDITION while it is attached,
 * naming the nodes.
 */
export async function deleteVolume(
  context: ControllerContext,
  request: DeleteVolumeRequest,
): Promise<DeleteVolumeResponse> {
  const disk = await findVolume(context, required('volume_id', request.volumeId));
  await failpoint('csi.delete-volume.before-disk');
  if (disk !== undefined) await context.cloud.deleteDisk(disk.id);
  await failpoint('csi.delete-volume.after-disk');
  return {};
}
