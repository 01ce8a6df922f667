import type { ControllerGetVolumeRequest, ControllerGetVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { statusOf, volumeOf } from './volume.ts';

/** A volume, where it is attached, and its condition. NOT_FOUND. */
export async function controllerGetVolume(
  context: ControllerContext,
  request: ControllerGetVolumeRequest,
): Promise<ControllerGetVolumeResponse> {
  const disk = await getVolume(context, required('volume_id', request.volumeId));
  return { volume: volumeOf(context.vendor, disk), status: statusOf(context.vendor, disk) };
}
