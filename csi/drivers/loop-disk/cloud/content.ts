import { mkdirSync, rmSync, truncateSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { flushBlockDevice } from '../../../../linux/block-device.ts';
import { syncDirectory } from '../../../../linux/files.ts';
import { freezeFileSystem, mountPointOf, thawDevice } from '../../../../linux/freeze.ts';
import type { FrozenFileSystem } from '../../../../linux/freeze.ts';
import { cloneFile, copySparse } from '../../../../linux/sparse-file.ts';
import { diskImage, reserve, snapshotImage } from './cloud.ts';
import type { Cloud } from './cloud.ts';
import type { CopyWork } from './copy-task.ts';
import { CloudError } from './errors.ts';
import type { Disk, DiskSource } from './types.ts';

/** Below this the pool counts as full: what disks hold already needs room to be written. */
const minimumFreeBytes = 32 * 1024 * 1024;

/** Throws POOL_FULL when so much would not go into the pool. */
export async function checkPoolSpace(cloud: Cloud, neededBytes = 0): Promise<void> {
  const { bavail, bsize } = await statfs(cloud.dir);
  const free = bavail * bsize;
  if (free - neededBytes >= minimumFreeBytes) return;
  throw new CloudError(
    'POOL_FULL',
    `the pool has ${free} bytes left, and ${neededBytes + minimumFreeBytes} are needed`,
  );
}

export interface SourceImage {
  id: string;
  region: string;
  path: string;
  sizeBytes: number;
}

/** The image that a source names, and how large it is. Throws SNAPSHOT_NOT_FOUND, DISK_NOT_FOUND, NOT_READY. */
export function sourceImage(cloud: Cloud, source: DiskSource): SourceImage {
  if ('snapshot' in source) {
    const snapshot = cloud.snapshots.get(source.snapshot);
    if (snapshot === undefined)
      throw new CloudError('SNAPSHOT_NOT_FOUND', `there is no snapshot '${source.snapshot}'`);
    if (snapshot.state !== 'ready')
      throw new CloudError('NOT_READY', `snapshot '${snapshot.id}' is not ready yet`);
    const { id, region, sizeBytes } = snapshot;
    return { id, region, path: snapshotImage(cloud, snapshot), sizeBytes };
  }
  const disk = cloud.disks.get(source.disk);
  if (disk === undefined) throw new CloudError('DISK_NOT_FOUND', `there is no disk '${source.disk}'`);
  if (disk.state !== 'available') throw new CloudError('NOT_READY', `disk '${disk.id}' is not ready yet`);
  const { id, region, sizeBytes } = disk;
  return { id, region, path: diskImage(cloud, disk), sizeBytes };
}

/** Clones an image within the pool (canClone), at least `sizeBytes` large, and makes it durable. An older try is replaced. */
export async function cloneImage(source: string, target: string, sizeBytes: number): Promise<void> {
  prepare(target);
  await cloneFile(source, target);
  truncateSync(target, sizeBytes);
  syncDirectory(dirname(target));
}

/** Copies an image to another, with progress: where the pool cannot clone. An older try is replaced. */
export async function copyImage(
  source: string,
  target: string,
  sizeBytes: number,
  work: CopyWork,
): Promise<void> {
  prepare(target);
  await copySparse(source, target, work);
  truncateSync(target, sizeBytes);
  syncDirectory(dirname(target));
}

function prepare(target: string): void {
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  rmSync(target, { force: true });
}

/** Brings what an attached disk's users hold in memory into its image; who writes on meanwhile is not stopped. */
export async function flushDisk(cloud: Cloud, disk: Disk): Promise<void> {
  const device = cloud.devices.get(disk.id);
  if (device !== undefined) await flushBlockDevice(device);
}

/**
 * Holds the content of disks still while it is copied: their mounted file systems are at rest until `thaw`. A disk that
 * is used without a file system is only flushed, and so is one whose file system cannot rest.
 */
export async function holdStill(cloud: Cloud, disks: Disk[]): Promise<FrozenFileSystem> {
  const frozen = new DisposableStack(); // thaws them all, also when one fails
  try {
    for (const disk of disks) {
      const device = cloud.devices.get(disk.id);
      const mountPoint = device === undefined ? undefined : mountPointOf(device);
      const fileSystem = mountPoint === undefined ? undefined : await freezeFileSystem(mountPoint);
      if (fileSystem === undefined) await flushDisk(cloud, disk);
      else frozen.defer(() => fileSystem.thaw());
    }
    return { thaw: () => frozen.dispose() };
  } catch (error) {
    frozen.dispose();
    throw error;
  }
}

/** Lets go on what a cloud that died had brought to rest. */
export async function thawDisk(cloud: Cloud, disk: Disk): Promise<void> {
  const device = cloud.devices.get(disk.id);
  if (device !== undefined) await thawDevice(device);
}

/** Counts a reader of a disk or snapshot; while there is one it is neither deleted nor newly attached. */
export const readFrom = (cloud: Cloud, id: string): Disposable => reserve(cloud.readers, id, 1);
