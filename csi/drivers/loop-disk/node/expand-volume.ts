import { statSync } from 'node:fs';
import { blockDeviceBytes } from '../../../../linux/block-device.ts';
import { failpoint } from '../../../../linux/failpoint.ts';
import { growFileSystem } from '../../../../linux/grow-filesystem.ts';
import { hasCode } from '../../../../linux/system-error.ts';
import { mountAt } from '../../../../linux/mount-info.ts';
import { CsiError } from '../../../error.ts';
import type { NodeExpandVolumeRequest, NodeExpandVolumeResponse } from '../../../types.ts';
import { required } from '../capabilities.ts';
import { alone } from './context.ts';
import type { NodeContext } from './context.ts';

/** Lets the file system of a volume have all of its disk, while it is used. NOT_FOUND when the volume is not at the path. */
export async function nodeExpandVolume(
  context: NodeContext,
  request: NodeExpandVolumeRequest,
): Promise<NodeExpandVolumeResponse> {
  const volumeId = required('volume_id', request.volumeId);
  const path = required('volume_path', request.volumePath);
  const mount = mountAt(path);
  if (mount === undefined) throw new CsiError('NOT_FOUND', `volume '${volumeId}' is not at ${path}`);
  if (statSync(path).isBlockDevice()) return checked(blockDeviceBytes(path), request);
  return await alone(context, volumeId, async () => {
    await failpoint('csi.expand.before-grow');
    await grow(path, mount.source);
    await failpoint('csi.expand.after-grow');
    return checked(blockDeviceBytes(mount.source), request);
  });
}

async function grow(path: string, device: string): Promise<void> {
  try {
    await growFileSystem(path, device);
  } catch (error) {
    if (!hasCode(error, 'EPERM')) throw error;
    throw new CsiError(
      'FAILED_PRECONDITION',
      `${(error as Error).message}: ext4 grows while it is mounted only for a process with CAP_SYS_RESOURCE, which this node has not; it grows when the volume is staged next`,
      { cause: error },
    );
  }
}

function checked(
  capacityBytes: number,
  { capacityRange }: NodeExpandVolumeRequest,
): NodeExpandVolumeResponse {
  const wanted = capacityRange?.requiredBytes ?? 0;
  if (capacityBytes >= wanted) return { capacityBytes };
  throw new CsiError(
    'OUT_OF_RANGE',
    `the disk has ${capacityBytes} bytes, ${wanted} are asked for: it has to be expanded in the cloud first`,
  );
}
