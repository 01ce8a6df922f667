import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { detachLoop, loopsBelow } from '../../../../linux/loop-device.ts';
import { diskImage, snapshotImage } from './cloud.ts';
import type { Cloud } from './cloud.ts';
import { thawDisk } from './content.ts';
import { beginCopy } from './disks/create-disk.ts';
import { devicesInKernel, ensureDevice, growDevice, releaseDevice } from './disks/device.ts';
import { beginSnapshotCopy } from './snapshots/create-snapshot.ts';
import { copyAgain, undoGroup } from './snapshots/groups.ts';
import type { Disk } from './types.ts';

/**
 * Makes pool and devices agree with the records after a stop at any moment, a reboot too: sizes, devices of attached
 * disks, devices and images that nothing records, copies that were under way. What cannot be mended is logged and shows
 * in the disk's health.
 */
export async function recover(cloud: Cloud): Promise<void> {
  for (const disk of cloud.disks.all()) await mend(cloud, disk);
  // All of them before any copy begins anew, which brings its disk to rest again.
  for (const id of disksAtRest(cloud)) await thaw(cloud, id);
  for (const group of cloud.groups.all().filter(({ state }) => state === 'cutting'))
    await undoGroup(cloud, group);
  await removeStrangers(cloud);
  await copySnapshotsAgain(cloud);
  for (const disk of cloud.disks.all().filter(({ state }) => state === 'creating'))
    await copyDiskAgain(cloud, disk);
}

/** Disks that were being copied when the last cloud ended. */
const disksAtRest = ({ groups, disks, snapshots }: Cloud): Set<string> =>
  new Set([
    ...groups.all().flatMap((group) => (group.state === 'cutting' ? group.disks : [])),
    ...snapshots.all().flatMap(({ state, disk }) => (state === 'copying' ? [disk] : [])),
    ...disks
      .all()
      .flatMap(({ state, source }) =>
        state === 'creating' && source !== undefined && 'disk' in source ? [source.disk] : [],
      ),
  ]);

/** Nobody was told that these are ready: begun again, the copies are of the disks as they are now. */
async function copySnapshotsAgain(cloud: Cloud): Promise<void> {
  const copying = cloud.snapshots.all().filter(({ state }) => state === 'copying');
  for (const group of cloud.groups.all()) {
    if (copying.every((snapshot) => snapshot.group !== group.id)) continue;
    if (group.disks.every((id) => cloud.disks.get(id) !== undefined)) await copyAgain(cloud, group);
    else await undoGroup(cloud, group);
  }
  for (const snapshot of copying.filter(({ group }) => group === undefined)) {
    const disk = cloud.disks.get(snapshot.disk);
    if (disk === undefined) cloud.snapshots.remove(snapshot.id);
    else beginSnapshotCopy(cloud, snapshot, disk);
  }
}

async function mend(cloud: Cloud, disk: Disk): Promise<void> {
  if (disk.state !== 'available') return;
  const image = diskImage(cloud, disk);
  const size = statSync(image, { throwIfNoEntry: false })?.size;
  if (size === undefined) return cloud.log.warn({ disk: disk.id, image }, 'the image of a disk is missing');
  try {
    if (size < disk.sizeBytes) truncateSync(image, disk.sizeBytes);
    const [attachment] = disk.attachments;
    if (attachment === undefined) return await releaseDevice(cloud, disk, { force: false });
    const [device] = devicesInKernel(cloud, disk);
    if (device !== undefined) cloud.devices.set(disk.id, device.path);
    ensureDevice(cloud, disk, attachment.mode);
    growDevice(cloud, disk);
  } catch (error) {
    cloud.log.warn({ disk: disk.id, err: error }, 'the device of a disk could not be made as it is recorded');
  }
}

async function thaw(cloud: Cloud, id: string): Promise<void> {
  const disk = cloud.disks.get(id);
  if (disk !== undefined) await thawDisk(cloud, disk);
}

async function copyDiskAgain(cloud: Cloud, disk: Disk): Promise<void> {
  try {
    await beginCopy(cloud, disk);
  } catch (error) {
    cloud.log.warn(
      { disk: disk.id, err: error },
      'a disk could not be filled and is gone; asked for again, it is made anew',
    );
  }
}

/** Images and devices of disks and snapshots that were being made or deleted when the last cloud ended. */
async function removeStrangers(cloud: Cloud): Promise<void> {
  const known = new Set([
    ...cloud.disks.all().map((disk) => diskImage(cloud, disk)),
    ...cloud.snapshots.all().map((snapshot) => snapshotImage(cloud, snapshot)),
  ]);
  for (const loop of loopsBelow(cloud.dir)) {
    if (known.has(loop.backingFile) || loop.cutOff) continue;
    cloud.log.info(
      { device: loop.path, image: loop.backingFile },
      'detaching a device that belongs to no disk',
    );
    await detachLoop(loop, { timeoutMs: 0 }).catch((error: unknown) =>
      cloud.log.warn({ device: loop.path, err: error }, 'a device that belongs to no disk is in use'),
    );
  }
  for (const image of imagesOf(cloud).filter((path) => !known.has(path))) rmSync(image, { force: true });
}

function imagesOf(cloud: Cloud): string[] {
  const regions = directoriesIn(cloud.dir).filter((name) => name !== 'records');
  const places = regions.flatMap((region) =>
    directoriesIn(join(cloud.dir, region)).map((zone) => join(cloud.dir, region, zone)),
  );
  return places.flatMap((place) =>
    readdirSync(place)
      .filter((name) => name.endsWith('.img'))
      .map((name) => join(place, name)),
  );
}

const directoriesIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
