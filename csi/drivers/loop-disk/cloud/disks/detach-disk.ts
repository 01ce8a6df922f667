import { failpoint } from '../../../../../linux/failpoint.ts';
import type { Cloud } from '../cloud.ts';
import type { DiskView } from '../types.ts';
import { releaseDevice } from './device.ts';
import { findDisk, viewDisk } from './get-disk.ts';

export interface DetachRequest {
  instance: string;
  /** Take it even from a machine that still uses it, which gets errors then. */
  force?: boolean;
}

/**
 * Takes a disk from a machine. One that is not attached there is no error. Throws IN_USE.
 *
 *   loop device ── record          after a crash in between the device is made again, until detach is asked for again
 */
export async function detachDisk(
  cloud: Cloud,
  id: string,
  { instance, force = false }: DetachRequest,
): Promise<DiskView> {
  return await cloud.locks.withLock(`disk ${id}`, async () => {
    const disk = findDisk(cloud, id);
    const attachments = disk.attachments.filter((attachment) => attachment.instance !== instance);
    if (attachments.length === disk.attachments.length) return viewDisk(cloud, disk);
    if (attachments.length === 0) await releaseDevice(cloud, disk, { force });
    await failpoint('cloud.detach.after-device');
    const detached = await cloud.disks.put(id, { ...disk, attachments });
    cloud.log.info({ disk: id, instance }, 'detached');
    return viewDisk(cloud, detached);
  });
}
