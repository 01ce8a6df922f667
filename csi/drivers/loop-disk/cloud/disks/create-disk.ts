import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { failpoint } from '../../../../../linux/failpoint.ts';
import { createSparseFile } from '../../../../../linux/sparse-file.ts';
import { diskImage, newId, reserve } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import {
  checkPoolSpace,
  cloneImage,
  copyImage,
  flushDisk,
  holdStill,
  readFrom,
  sourceImage,
} from '../content.ts';
import type { SourceImage } from '../content.ts';
import { asCloudError, startCopyTask } from '../copy-task.ts';
import { CloudError } from '../errors.ts';
import { checkZoneSpace, getZone } from '../regions/zones.ts';
import type { CreateDiskRequest, Disk } from '../types.ts';
import { checkCache, checkName, checkSize, checkTitle } from '../validation.ts';

/**
 * Makes a disk, empty or with the content of a snapshot or disk. The same name asked for again gives the same disk, and
 * NAME_CONFLICT when it was asked for with something else. Where the pool cannot clone, a disk with content is answered
 * at once in state `creating`.
 *
 *   empty, or cloned:  image ── record (available)           an image without a record is removed at the next start
 *   copied:            record (creating) ── image ── record (available)          the next start begins the copy again
 */
export async function createDisk(cloud: Cloud, request: CreateDiskRequest): Promise<Disk> {
  check(request);
  return await cloud.locks.withLock(`disk-name ${request.name}`, async () => {
    const existing = cloud.disks.all().find(({ name }) => name === request.name);
    return existing === undefined ? await make(cloud, request) : sameOrThrow(existing, request);
  });
}

function check({ name, id, zone, sizeBytes, cache, type }: CreateDiskRequest): void {
  checkTitle('name', name);
  if (id !== undefined) checkName('id', id);
  checkName('zone', zone);
  checkSize('sizeBytes', sizeBytes);
  if (cache !== undefined) checkCache(cache);
  if (type !== undefined) checkName('type', type);
}

function sameOrThrow(disk: Disk, request: CreateDiskRequest): Disk {
  const differences = [
    disk.zone !== request.zone && `in zone '${disk.zone}'`,
    disk.sizeBytes !== request.sizeBytes && `of ${disk.sizeBytes} bytes`,
    JSON.stringify(disk.source) !== JSON.stringify(request.source) &&
      `made from ${JSON.stringify(disk.source ?? 'nothing')}`,
    request.type !== undefined && disk.type !== request.type && `of type '${disk.type}'`,
  ].filter((difference) => difference !== false);
  if (differences.length === 0) return disk;
  throw new CloudError('NAME_CONFLICT', `disk '${disk.name}' exists already, ${differences.join(', ')}`);
}

/** What a disk is when nobody says. */
const defaults = { type: 'sparse', cache: 'writeback' } as const;

async function make(cloud: Cloud, request: CreateDiskRequest): Promise<Disk> {
  const {
    name,
    id = newId('d'),
    zone,
    sizeBytes,
    type = defaults.type,
    cache = defaults.cache,
    source,
  } = request;
  const { region } = getZone(cloud, zone);
  if (cloud.disks.get(id) !== undefined)
    throw new CloudError('NAME_CONFLICT', `disk '${id}' exists already by another name`);
  checkZoneSpace(cloud, zone, sizeBytes);
  using _reserved = reserve(cloud.reservedBytes, zone, sizeBytes);
  await checkPoolSpace(cloud);
  const disk: Disk = {
    id,
    name,
    region,
    zone,
    sizeBytes,
    type,
    cache,
    state: 'available',
    attachments: [],
    ...(source === undefined ? {} : { source }),
    createdAt: new Date().toISOString(),
  };
  if (source === undefined) await makeEmpty(cloud, disk);
  else if (cloud.canClone) await makeClone(cloud, { ...disk, source });
  else return await beginCopy(cloud, await cloud.disks.put(id, { ...disk, state: 'creating' }));
  await failpoint('cloud.create.after-image');
  try {
    return await cloud.disks.put(id, disk);
  } catch (error) {
    rmSync(diskImage(cloud, disk), { force: true });
    throw error;
  }
}

async function makeEmpty(cloud: Cloud, disk: Disk): Promise<void> {
  const image = diskImage(cloud, disk);
  mkdirSync(dirname(image), { recursive: true, mode: 0o700 });
  try {
    createSparseFile(image, disk.sizeBytes);
  } catch (error) {
    throw asCloudError(error);
  }
}

type Copied = Disk & Required<Pick<Disk, 'source'>>;

async function makeClone(cloud: Cloud, disk: Copied): Promise<void> {
  const { id } = checkedSource(cloud, disk);
  await cloud.locks.withLock(`content ${id}`, async () => {
    const attached = 'disk' in disk.source ? cloud.disks.get(id) : undefined;
    if (attached !== undefined) await flushDisk(cloud, attached);
    const { path } = checkedSource(cloud, disk); // it may have grown by now
    await cloneImage(path, diskImage(cloud, disk), disk.sizeBytes).catch((error: unknown) => {
      throw asCloudError(error);
    });
  });
}

function checkedSource(cloud: Cloud, { source, region, sizeBytes }: Copied): SourceImage {
  const found = sourceImage(cloud, source);
  if (found.region !== region)
    throw new CloudError(
      'ZONE_MISMATCH',
      `source '${found.id}' is in region '${found.region}', not in '${region}'`,
    );
  if (sizeBytes >= found.sizeBytes) return found;
  throw new CloudError(
    'SIZE_TOO_SMALL',
    `${sizeBytes} bytes do not hold the ${found.sizeBytes} of its source '${found.id}'`,
  );
}

/** Copies a disk's content in the background; for a disk in state `creating`, also one from before a restart. */
export async function beginCopy(cloud: Cloud, disk: Disk): Promise<Disk> {
  const { source } = disk;
  if (source === undefined) return disk;
  let from: SourceImage;
  try {
    from = checkedSource(cloud, { ...disk, source });
  } catch (error) {
    forget(cloud, disk); // nothing was promised yet
    throw error;
  }
  const reading = readFrom(cloud, from.id);
  const task = startCopyTask(async (work) => {
    try {
      await cloud.locks.withLock(`content ${from.id}`, async () => {
        const attached = 'disk' in source ? cloud.disks.get(from.id) : undefined;
        const held = await holdStill(cloud, attached === undefined ? [] : [attached]);
        try {
          checkedSource(cloud, { ...disk, source }); // it may have grown by now
          await copyImage(from.path, diskImage(cloud, disk), disk.sizeBytes, work);
        } finally {
          held.thaw();
        }
      });
      await failpoint('cloud.create.after-copy');
      await cloud.disks.put(disk.id, { ...disk, state: 'available' });
      cloud.copies.delete(disk.id);
    } catch (error) {
      forget(cloud, disk);
      throw error;
    } finally {
      reading[Symbol.dispose]();
    }
  });
  cloud.copies.set(disk.id, task);
  return disk;
}

/** A disk that could not be filled is no disk: who asked for it asks again by its name. */
function forget(cloud: Cloud, disk: Disk): void {
  rmSync(diskImage(cloud, disk), { force: true });
  cloud.disks.remove(disk.id);
}
