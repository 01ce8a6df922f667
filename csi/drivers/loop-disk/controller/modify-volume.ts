import type { ControllerModifyVolumeRequest, ControllerModifyVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { parseMutableParameters } from './parameters.ts';

/**
 * Changes a disk while it is used: `cache`, which takes effect on its device at once (`losetup -l`, column DIO), and a
 * vendor's `type`.
 */
export async function controllerModifyVolume(
  context: ControllerContext,
  { volumeId, mutableParameters }: ControllerModifyVolumeRequest,
): Promise<ControllerModifyVolumeResponse> {
  const { id } = await getVolume(context, required('volume_id', volumeId));
  await context.cloud.modifyDisk(id, parseMutableParameters(context.vendor, mutableParameters));
  return {};
}
