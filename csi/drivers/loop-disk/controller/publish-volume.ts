import { failpoint } from '../../../../linux/failpoint.ts';
import type { ControllerPublishVolumeRequest, ControllerPublishVolumeResponse } from '../../../types.ts';
import { attachModeFor, checkCapability, required } from '../capabilities.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';

/**
 * What the node is told of an attached disk. After a reboot of the machine the device may be another one, so the node
 * looks whether the device is that disk (node/device.ts).
 */
export interface PublishContext {
  devicePath: string;
  diskId: string;
}

/**
 * Attaches a disk to a node: a block device appears there. Attached elsewhere against its mode: FAILED_PRECONDITION,
 * naming the node (CSI spec, ControllerPublishVolume).
 */
export async function controllerPublishVolume(
  context: ControllerContext,
  request: ControllerPublishVolumeRequest,
): Promise<ControllerPublishVolumeResponse> {
  const handle = required('volume_id', request.volumeId);
  const instance = context.vendor.instanceOf(required('node_id', request.nodeId));
  const capability = checkCapability(request.volumeCapability);
  const mode = attachModeFor(capability, request) ?? 'read-write';
  const { id } = await getVolume(context, handle);
  await failpoint('csi.publish.before-attach');
  const { devicePath = '' } = await context.cloud.attachDisk(id, { instance, mode });
  await failpoint('csi.publish.after-attach');
  const publishContext: PublishContext = { devicePath, diskId: id };
  return { publishContext: { ...publishContext } };
}
