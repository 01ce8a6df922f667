import { rmSync } from 'node:fs';
import { failpoint } from '../../../../../linux/failpoint.ts';
import { diskImage, newId, snapshotImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { checkPoolSpace, cloneImage, copyImage, flushDisk, holdStill, readFrom } from '../content.ts';
import { asCloudError, startCopyTask } from '../copy-task.ts';
import { findDisk } from '../disks/get-disk.ts';
import { CloudError } from '../errors.ts';
import type { CreateSnapshotRequest, Disk, Snapshot } from '../types.ts';
import { checkTitle } from '../validation.ts';

/**
 * Takes a snapshot of a disk as it is now, attached or not: everything that was written before is in it. The same name
 * and disk again gives the same snapshot, another disk NAME_CONFLICT. Where the pool cannot clone it is answered in
 * state `copying` once the disk is at rest (CSI spec, CreateSnapshot: it blocks until the snapshot is cut); the disk's
 * file system rests until the copy is there, and a copy that failed begins anew when it is asked for again.
 */
export async function createSnapshot(
  cloud: Cloud,
  { name, disk: diskId }: CreateSnapshotRequest,
): Promise<Snapshot> {
  checkTitle('name', name);
  return await cloud.locks.withLock(`snapshot-name ${name}`, async () => {
    const existing = cloud.snapshots.all().find((snapshot) => snapshot.name === name);
    if (existing !== undefined && existing.disk !== diskId)
      throw new CloudError('NAME_CONFLICT', `snapshot '${name}' exists already, of disk '${existing.disk}'`);
    const snapshot = existing ?? (await take(cloud, name, findDisk(cloud, diskId)));
    return snapshot.state === 'copying' ? await goOn(cloud, snapshot) : snapshot;
  });
}

async function take(cloud: Cloud, name: string, disk: Disk): Promise<Snapshot> {
  if (disk.state !== 'available') throw new CloudError('NOT_READY', `disk '${disk.id}' is being copied`);
  await checkPoolSpace(cloud);
  const snapshot = newSnapshot({ name, disk });
  if (!cloud.canClone) {
    await cloud.snapshots.put(snapshot.id, { ...snapshot, state: 'copying' });
    return beginSnapshotCopy(cloud, { ...snapshot, state: 'copying' }, disk);
  }
  const taken = await cloud.locks.withLock(`content ${disk.id}`, async () => {
    await flushDisk(cloud, disk);
    const now = ofNow(cloud, snapshot);
    await cloneSnapshot(cloud, now, disk);
    return now;
  });
  await failpoint('cloud.snapshot.after-image');
  return await record(cloud, taken);
}

export function newSnapshot({ name, disk, group }: { name: string; disk: Disk; group?: string }): Snapshot {
  return {
    id: newId('s'),
    name,
    region: disk.region,
    disk: disk.id,
    diskName: disk.name,
    zone: disk.zone,
    sizeBytes: disk.sizeBytes,
    state: 'ready',
    ...(group === undefined ? {} : { group }),
    createdAt: new Date().toISOString(),
  };
}

/** A snapshot of a disk that is at rest, which may have grown since it was asked for. */
export const ofNow = (cloud: Cloud, snapshot: Snapshot, createdAt = new Date().toISOString()): Snapshot => ({
  ...snapshot,
  sizeBytes: findDisk(cloud, snapshot.disk).sizeBytes,
  createdAt,
});

export async function cloneSnapshot(cloud: Cloud, snapshot: Snapshot, disk: Disk): Promise<void> {
  try {
    await cloneImage(diskImage(cloud, disk), snapshotImage(cloud, snapshot), snapshot.sizeBytes);
  } catch (error) {
    throw asCloudError(error);
  }
}

async function record(cloud: Cloud, snapshot: Snapshot): Promise<Snapshot> {
  try {
    return await cloud.snapshots.put(snapshot.id, snapshot);
  } catch (error) {
    rmSync(snapshotImage(cloud, snapshot), { force: true });
    throw error;
  }
}

/** Waits until the disk of a copy is at rest. A copy that failed is begun anew, and its failure told once. */
async function goOn(cloud: Cloud, snapshot: Snapshot): Promise<Snapshot> {
  const copy = cloud.copies.get(snapshot.id);
  await copy?.begun;
  const failure = copy?.failure;
  if (failure === undefined) return cloud.snapshots.get(snapshot.id) ?? snapshot;
  beginSnapshotCopy(cloud, snapshot, findDisk(cloud, snapshot.disk));
  throw failure;
}

/** Copies a disk into a snapshot in state `copying` in the background; also for one from before a restart. */
export function beginSnapshotCopy(cloud: Cloud, snapshot: Snapshot, disk: Disk): Snapshot {
  void copyWhileStill(cloud, [{ snapshot, disk }]);
  return snapshot;
}

/** A snapshot in state `copying`, and the disk that it is of. */
export interface Cut {
  snapshot: Snapshot;
  disk: Disk;
}

/**
 * Copies disks into their snapshots in the background, all of them at rest until the last copy has ended; ready only
 * when they go on again, and none when one has failed. Never rejects: a failure is in the copies.
 */
export async function copyWhileStill(cloud: Cloud, cuts: Cut[]): Promise<void> {
  const resting = Promise.withResolvers<void>();
  const goingOn = Promise.withResolvers<void>();
  goingOn.promise.catch(() => undefined); // a copy that failed before does not wait for it
  const copies = cuts.map((cut) =>
    beginTask(cloud, cut, { resting: resting.promise, goingOn: goingOn.promise }),
  );
  const disks = cuts.map(({ disk }) => disk);
  await cloud.locks.withLocks(
    disks.map(({ id }) => `content ${id}`),
    async () => {
      try {
        const held = await holdStill(cloud, disks);
        let failures: (CloudError | undefined)[];
        try {
          await failpoint('cloud.snapshot.at-rest');
          const createdAt = new Date().toISOString();
          for (const { snapshot } of cuts)
            await cloud.snapshots.put(snapshot.id, ofNow(cloud, snapshot, createdAt));
          resting.resolve();
          failures = await Promise.all(copies.map(({ copied }) => copied));
        } finally {
          held.thaw();
        }
        const failure = failures.find((each) => each !== undefined);
        if (failure === undefined) goingOn.resolve();
        else goingOn.reject(failure);
      } catch (error) {
        resting.reject(error);
        goingOn.reject(error);
      }
    },
  );
}

interface Stages {
  /** The records of the snapshots are of that moment then. */
  resting: Promise<void>;
  goingOn: Promise<void>;
}

function beginTask(
  cloud: Cloud,
  { snapshot, disk }: Cut,
  { resting, goingOn }: Stages,
): { copied: Promise<CloudError | undefined> } {
  const reading = readFrom(cloud, disk.id);
  const copied = Promise.withResolvers<CloudError | undefined>();
  const task = startCopyTask(async (work) => {
    try {
      await resting;
      const taken = cloud.snapshots.get(snapshot.id) ?? snapshot;
      await copyImage(diskImage(cloud, disk), snapshotImage(cloud, taken), taken.sizeBytes, work);
      copied.resolve(undefined);
      await goingOn;
      await failpoint('cloud.snapshot.after-copy');
      await cloud.snapshots.put(snapshot.id, { ...taken, state: 'ready' });
      cloud.copies.delete(snapshot.id);
    } catch (error) {
      copied.resolve(asCloudError(error)); // the others end before they are told
      throw error;
    } finally {
      reading[Symbol.dispose]();
    }
  });
  task.begun = resting.catch(() => task.ended);
  cloud.copies.set(snapshot.id, task);
  return { copied: copied.promise };
}
