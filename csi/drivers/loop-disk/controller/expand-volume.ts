import { failpoint } from '../../../../linux/failpoint.ts';
import { CsiError } from '../../../error.ts';
import type { ControllerExpandVolumeRequest, ControllerExpandVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { getVolume } from './context.ts';
import type { ControllerContext } from './context.ts';
import { sizeFor } from './size.ts';

/**
 * Makes a disk larger, attached or not. The node has to grow the file system after it; a bare block device has its size
 * at once.
 */
export async function controllerExpandVolume(
  context: ControllerContext,
  request: ControllerExpandVolumeRequest,
): Promise<ControllerExpandVolumeResponse> {
  const handle = required('volume_id', request.volumeId);
  const { capacityRange, volumeCapability } = request;
  if (capacityRange === null)
    throw new CsiError('INVALID_ARGUMENT', 'capacity_range is missing in the request');
  const wanted = sizeFor(capacityRange);
  const disk = await getVolume(context, handle);
  if (capacityRange.limitBytes > 0 && disk.sizeBytes > capacityRange.limitBytes)
    throw new CsiError(
      'OUT_OF_RANGE',
      `volume '${handle}' has ${disk.sizeBytes} bytes, more than the limit of ${capacityRange.limitBytes}`,
    );
  await failpoint('csi.expand.before-disk');
  const { sizeBytes } = wanted <= disk.sizeBytes ? disk : await context.cloud.resizeDisk(disk.id, wanted);
  await failpoint('csi.expand.after-disk');
  return { capacityBytes: sizeBytes, nodeExpansionRequired: volumeCapability?.block === undefined };
}
