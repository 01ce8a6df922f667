import { statSync } from 'node:fs';
import { loopAt } from '../../../../../linux/loop-device.ts';
import { diskImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import { pageOf } from '../paging.ts';
import type { Disk, DiskView, Page, PageQuery } from '../types.ts';

/** Throws DISK_NOT_FOUND. */
export function findDisk(cloud: Cloud, id: string): Disk {
  const disk = cloud.disks.get(id);
  if (disk === undefined) throw new CloudError('DISK_NOT_FOUND', `there is no disk '${id}'`);
  return disk;
}

export interface GetDiskOptions {
  /** Wait for the end of the copy that fills it, so long at most. A copy that fails is thrown: POOL_FULL, INTERNAL. */
  waitMs?: number;
}

/** Throws DISK_NOT_FOUND. */
export async function getDisk(
  cloud: Cloud,
  id: string,
  { waitMs = 0 }: GetDiskOptions = {},
): Promise<DiskView> {
  const copy = cloud.copies.get(id);
  if (copy !== undefined && waitMs > 0) {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, waitMs);
    await Promise.race([copy.ended, late]);
    clearTimeout(timer);
  }
  if (copy?.failure !== undefined && cloud.disks.get(id) === undefined) {
    cloud.copies.delete(id);
    throw copy.failure;
  }
  return viewDisk(cloud, findDisk(cloud, id));
}

export interface ListDisksQuery extends PageQuery {
  name?: string;
  zone?: string;
}

export function listDisks(cloud: Cloud, { name, zone, ...page }: ListDisksQuery): Page<DiskView> {
  const wanted = cloud.disks
    .all()
    .filter(
      (disk) => (name === undefined || disk.name === name) && (zone === undefined || disk.zone === zone),
    );
  const { items, ...next } = pageOf(wanted, page);
  return { items: items.map((disk) => viewDisk(cloud, disk)), ...next };
}

const blockBytes = 512; // st_blocks (inode(7))

export function viewDisk(cloud: Cloud, disk: Disk): DiskView {
  const image = statSync(diskImage(cloud, disk), { throwIfNoEntry: false });
  const devicePath = cloud.devices.get(disk.id);
  return {
    ...disk,
    percent: disk.state === 'creating' ? (cloud.copies.get(disk.id)?.percent ?? 0) : 100,
    usedBytes: (image?.blocks ?? 0) * blockBytes,
    ...(devicePath === undefined ? {} : { devicePath }),
    health: healthOf(cloud, disk, image?.size),
  };
}

function healthOf(cloud: Cloud, disk: Disk, imageBytes: number | undefined): DiskView['health'] {
  const bad = (message: string) => ({ ok: false, message });
  if (disk.state === 'creating') return { ok: true, message: 'being copied' };
  if (imageBytes === undefined) return bad(`image ${diskImage(cloud, disk)} is missing`);
  if (imageBytes < disk.sizeBytes) return bad(`image has ${imageBytes} of ${disk.sizeBytes} bytes`);
  if (disk.attachments.length === 0) return { ok: true, message: 'not attached' };
  const device = cloud.devices.get(disk.id);
  const loop = device === undefined ? undefined : loopAt(device);
  if (loop?.backingFile !== diskImage(cloud, disk))
    return bad(`device ${device ?? ''} is not this disk any more`);
  return { ok: true, message: `attached as ${loop.path}` };
}
