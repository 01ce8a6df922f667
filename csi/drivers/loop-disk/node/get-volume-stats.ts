import { readFileSync, statSync } from 'node:fs';
import { blockDeviceBytes } from '../../../../linux/block-device.ts';
import { usageOf } from '../../../../linux/filesystem.ts';
import { loopAt } from '../../../../linux/loop-device.ts';
import { mountAt } from '../../../../linux/mount-info.ts';
import type { MountInfo } from '../../../../linux/mount-info.ts';
import { hasCode } from '../../../../linux/system-error.ts';
import { CsiError } from '../../../error.ts';
import type {
  NodeGetVolumeStatsRequest,
  NodeGetVolumeStatsResponse,
  VolumeCondition,
} from '../../../types.ts';
import { required } from '../capabilities.ts';

/** How full a published or staged volume is, and whether it is in order. NOT_FOUND when it is not there. */
export async function nodeGetVolumeStats(
  request: NodeGetVolumeStatsRequest,
): Promise<NodeGetVolumeStatsResponse> {
  const volumeId = required('volume_id', request.volumeId);
  const path = required('volume_path', request.volumePath);
  const mount = mountAt(path);
  if (mount === undefined) throw new CsiError('NOT_FOUND', `volume '${volumeId}' is not at ${path}`);
  if (statSync(path).isBlockDevice()) return blockStats(path);
  const volumeCondition = conditionOf(mount);
  try {
    const usage = await usageOf(path);
    return {
      usage: [
        { unit: 'BYTES', total: usage.capacityBytes, used: usage.usedBytes, available: usage.availableBytes },
        { unit: 'INODES', total: usage.inodes, used: usage.inodesUsed, available: usage.inodesFree },
      ],
      volumeCondition,
    };
  } catch (error) {
    if (hasCode(error, 'EIO', 'ESHUTDOWN')) return { usage: [], volumeCondition };
    throw error;
  }
}

const blockStats = (path: string): NodeGetVolumeStatsResponse => ({
  usage: [{ unit: 'BYTES', total: blockDeviceBytes(path), used: 0, available: 0 }],
  volumeCondition: { abnormal: false, message: 'in order' },
});

/** By what the kernel knows of the device and the file system. */
function conditionOf({ source, superOptions, type }: MountInfo): VolumeCondition {
  const abnormal = (message: string) => ({ abnormal: true, message });
  const loop = loopAt(source);
  if (loop?.cutOff === true) return abnormal(`${source} was detached while it was mounted`);
  if (loop?.deleted === true) return abnormal(`the disk of ${source} has been deleted`);
  const errors = type.startsWith('ext') ? errorsOf(source) : 0;
  if (errors > 0) return abnormal(`the file system of ${source} has found ${errors} errors in itself`);
  if (superOptions.includes('shutdown') || superOptions.includes('emergency_ro'))
    return abnormal(`the file system of ${source} has shut down after errors`);
  return { abnormal: false, message: 'in order' };
}

function errorsOf(source: string): number {
  try {
    return Number(readFileSync(`/sys/fs/ext4/${source.replace('/dev/', '')}/errors_count`, 'utf8'));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0; // older kernels do not count
    throw error;
  }
}
