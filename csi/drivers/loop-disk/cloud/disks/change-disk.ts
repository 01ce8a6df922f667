import { truncateSync } from 'node:fs';
import { failpoint } from '../../../../../linux/failpoint.ts';
import { setLoopDirectIo } from '../../../../../linux/loop-device.ts';
import { diskImage, reserve } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import { checkZoneSpace } from '../regions/zones.ts';
import type { CacheMode, Disk, DiskView } from '../types.ts';
import { checkCache, checkName, checkSize } from '../validation.ts';
import { growDevice } from './device.ts';
import { findDisk, viewDisk } from './get-disk.ts';

/**
 * Makes a disk larger, attached or not; who uses it sees the new size at once. The size that it has is no error; a
 * smaller one is SIZE_TOO_SMALL.
 *
 *   record ── image ── device          a restart gives the image the size of the record
 */
export async function resizeDisk(cloud: Cloud, id: string, sizeBytes: number): Promise<DiskView> {
  checkSize('sizeBytes', sizeBytes);
  return await cloud.locks.withLock(`disk ${id}`, async () => {
    const disk = findDisk(cloud, id);
    if (disk.state !== 'available') throw new CloudError('NOT_READY', `disk '${id}' is being copied`);
    if (sizeBytes < disk.sizeBytes)
      throw new CloudError(
        'SIZE_TOO_SMALL',
        `disk '${id}' has ${disk.sizeBytes} bytes and cannot become smaller`,
      );
    if (sizeBytes === disk.sizeBytes) return viewDisk(cloud, disk);
    checkZoneSpace(cloud, disk.zone, sizeBytes - disk.sizeBytes);
    using _reserved = reserve(cloud.reservedBytes, disk.zone, sizeBytes - disk.sizeBytes);
    const larger = await cloud.disks.put(id, { ...disk, sizeBytes });
    await failpoint('cloud.resize.after-record');
    try {
      truncateSync(diskImage(cloud, disk), sizeBytes);
      await failpoint('cloud.resize.after-image');
      growDevice(cloud, larger);
    } catch (error) {
      await cloud.disks.put(id, disk); // or the same call again would find nothing to do
      throw error;
    }
    return viewDisk(cloud, larger);
  });
}

export interface ModifyDiskRequest {
  type?: string;
  cache?: CacheMode;
}

/** Changes what can be changed of a disk in use: its cache mode takes effect at once. */
export async function modifyDisk(
  cloud: Cloud,
  id: string,
  { type, cache }: ModifyDiskRequest,
): Promise<DiskView> {
  if (type !== undefined) checkName('type', type);
  if (cache !== undefined) checkCache(cache);
  return await cloud.locks.withLock(`disk ${id}`, async () => {
    const disk = findDisk(cloud, id);
    const changed: Disk = { ...disk, type: type ?? disk.type, cache: cache ?? disk.cache };
    if (changed.type === disk.type && changed.cache === disk.cache) return viewDisk(cloud, disk);
    const device = cloud.devices.get(id);
    if (changed.cache !== disk.cache && device !== undefined)
      setLoopDirectIo(device, changed.cache === 'none');
    return viewDisk(cloud, await cloud.disks.put(id, changed));
  });
}
