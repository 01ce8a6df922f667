import { failpoint } from '../../../../linux/failpoint.ts';
import type { ControllerUnpublishVolumeRequest, ControllerUnpublishVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { findVolume } from './context.ts';
import type { ControllerContext } from './context.ts';

/**
 * Detaches a disk from a node, or from all when none is named. A disk that is not there, or not attached there, is
 * detached already (CSI spec, ControllerUnpublishVolume).
 *
 * It is forced: who calls this has unmounted before, or has given the node up as lost; then the disk is pulled out, and
 * what is still mounted of it there gets errors instead of writing beside the disk's next user.
 */
export async function controllerUnpublishVolume(
  context: ControllerContext,
  { volumeId, nodeId }: ControllerUnpublishVolumeRequest,
): Promise<ControllerUnpublishVolumeResponse> {
  const disk = await findVolume(context, required('volume_id', volumeId));
  if (disk === undefined) return {};
  const instances =
    nodeId === '' ? disk.attachments.map(({ instance }) => instance) : [context.vendor.instanceOf(nodeId)];
  await failpoint('csi.unpublish.before-detach');
  for (const instance of instances) await context.cloud.detachDisk(disk.id, { instance, force: true });
  await failpoint('csi.unpublish.after-detach');
  return {};
}
