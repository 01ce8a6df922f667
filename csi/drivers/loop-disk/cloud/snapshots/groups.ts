import { rmSync } from 'node:fs';
import { failpoint } from '../../../../../linux/failpoint.ts';
import { newId, snapshotImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { checkPoolSpace, holdStill } from '../content.ts';
import { findDisk } from '../disks/get-disk.ts';
import { CloudError } from '../errors.ts';
import { pageOf } from '../paging.ts';
import type {
  CreateSnapshotGroupRequest,
  Page,
  PageQuery,
  SnapshotGroup,
  SnapshotGroupView,
} from '../types.ts';
import { checkTitle } from '../validation.ts';
import { cloneSnapshot, copyWhileStill, newSnapshot, ofNow } from './create-snapshot.ts';
import type { Cut } from './create-snapshot.ts';
import { removeSnapshot } from './delete-snapshot.ts';
import { viewSnapshot } from './get-snapshot.ts';

/**
 * Takes a snapshot of several disks at one moment: all of their file systems rest before the first is cut and until the
 * last is. The same name and disks again give the same group, whose copies begin anew when one has failed; other disks
 * NAME_CONFLICT.
 *
 *   record (cutting) ── at rest ── images ── their records ── on again ── record (cut)
 *   A restart that finds `cutting` lets the disks go on and takes everything of the group away.
 */
export async function createSnapshotGroup(
  cloud: Cloud,
  { name, disks: ids }: CreateSnapshotGroupRequest,
): Promise<SnapshotGroupView> {
  checkTitle('name', name);
  if (!Array.isArray(ids) || ids.length === 0)
    throw new CloudError('INVALID_PARAMETER', 'disks must name at least one disk');
  return await cloud.locks.withLock(`group-name ${name}`, async () => {
    const existing = cloud.groups.all().find((group) => group.name === name);
    if (existing !== undefined && existing.disks.toSorted().join() !== [...new Set(ids)].toSorted().join())
      throw new CloudError(
        'NAME_CONFLICT',
        `group '${name}' exists already, of the disks ${existing.disks.join(', ')}`,
      );
    const group = existing ?? (await cut(cloud, name, [...new Set(ids)]));
    await lookAfterCopies(cloud, group);
    return viewGroup(cloud, group);
  });
}

async function cut(cloud: Cloud, name: string, ids: string[]): Promise<SnapshotGroup> {
  const disks = ids.map((id) => findDisk(cloud, id));
  const unready = disks.find(({ state }) => state !== 'available');
  if (unready !== undefined) throw new CloudError('NOT_READY', `disk '${unready.id}' is being copied`);
  await checkPoolSpace(cloud);
  const id = newId('g');
  const cuts = disks.map((disk): Cut => ({
    snapshot: newSnapshot({ name: `${name}/${disk.id}`, disk, group: id }),
    disk,
  }));
  const group: SnapshotGroup = {
    id,
    name,
    disks: ids,
    snapshots: cuts.map(({ snapshot }) => snapshot.id),
    state: 'cutting',
    createdAt: new Date().toISOString(),
  };
  await cloud.groups.put(id, group);
  try {
    await (cloud.canClone ? take(cloud, cuts) : beginCopies(cloud, cuts));
    await failpoint('cloud.group.after-images');
    return await cloud.groups.put(id, { ...group, state: 'cut' });
  } catch (error) {
    await undoGroup(cloud, group);
    throw error;
  }
}

async function take(cloud: Cloud, cuts: Cut[]): Promise<void> {
  const content = cuts.map(({ disk }) => `content ${disk.id}`);
  await cloud.locks.withLocks(content, async () => {
    const held = await holdStill(
      cloud,
      cuts.map(({ disk }) => disk),
    );
    try {
      await failpoint('cloud.group.at-rest');
      const createdAt = new Date().toISOString();
      for (const { snapshot, disk } of cuts) {
        const now = ofNow(cloud, snapshot, createdAt);
        await cloneSnapshot(cloud, now, disk);
        await cloud.snapshots.put(now.id, now);
      }
    } finally {
      held.thaw();
    }
  });
}

/** Where the pool cannot clone: answered in state `copying`. */
async function beginCopies(cloud: Cloud, cuts: Cut[]): Promise<void> {
  const copying = cuts.map(({ snapshot, disk }): Cut => ({
    snapshot: { ...snapshot, state: 'copying' },
    disk,
  }));
  for (const { snapshot } of copying) await cloud.snapshots.put(snapshot.id, snapshot);
  void copyWhileStill(cloud, copying);
}

/** Waits until the group's disks are at rest. Begins the copies anew when one has failed, and tells its failure once. */
async function lookAfterCopies(cloud: Cloud, group: SnapshotGroup): Promise<void> {
  const copies = group.snapshots.flatMap((id) => cloud.copies.get(id) ?? []);
  for (const { begun } of copies) await begun;
  const failed = copies.find(({ failure }) => failure !== undefined);
  if (failed?.failure === undefined) return;
  await Promise.all(copies.map(({ ended }) => ended));
  await copyAgain(cloud, group);
  throw failed.failure;
}

/** Begins all copies of a group anew, also of those that are there: they are of one moment. Throws DISK_NOT_FOUND. */
export async function copyAgain(cloud: Cloud, group: SnapshotGroup): Promise<void> {
  const content = group.snapshots.map((id) => `content ${id}`); // nobody reads from one that is there
  await cloud.locks.withLocks(content, async () => {
    const cuts = group.snapshots.flatMap((id): Cut[] => {
      const snapshot = cloud.snapshots.get(id);
      return snapshot === undefined ? [] : [{ snapshot, disk: findDisk(cloud, snapshot.disk) }];
    });
    await beginCopies(cloud, cuts);
  });
}

/** Takes everything of a group away, whatever of it is there. */
export async function undoGroup(cloud: Cloud, group: SnapshotGroup): Promise<void> {
  for (const id of group.snapshots) await removeSnapshot(cloud, id);
  for (const disk of group.disks) {
    const region = cloud.disks.get(disk)?.region;
    if (region === undefined) continue;
    for (const id of group.snapshots) rmSync(snapshotImage(cloud, { region, id }), { force: true });
  }
  cloud.groups.remove(group.id);
}

/** Throws GROUP_NOT_FOUND. */
export function getSnapshotGroup(cloud: Cloud, id: string): SnapshotGroupView {
  const group = cloud.groups.get(id);
  if (group === undefined) throw new CloudError('GROUP_NOT_FOUND', `there is no snapshot group '${id}'`);
  return viewGroup(cloud, group);
}

export function listSnapshotGroups(cloud: Cloud, query: PageQuery): Page<SnapshotGroupView> {
  const { items, ...next } = pageOf(cloud.groups.all(), query);
  return { items: items.map((group) => viewGroup(cloud, group)), ...next };
}

function viewGroup(cloud: Cloud, group: SnapshotGroup): SnapshotGroupView {
  const snapshots = group.snapshots.flatMap((id) => {
    const snapshot = cloud.snapshots.get(id);
    return snapshot === undefined ? [] : [viewSnapshot(cloud, snapshot)];
  });
  const ready =
    snapshots.length === group.snapshots.length && snapshots.every(({ state }) => state === 'ready');
  const createdAt = snapshots[0]?.createdAt ?? group.createdAt; // one moment, and a later one when it is copied anew
  return { ...group, createdAt, snapshotIds: group.snapshots, snapshots, ready };
}

/**
 * Deletes a group and its snapshots. One that is not there is no error. Throws IN_USE while a disk is being made from
 * one of them.
 */
export async function deleteSnapshotGroup(cloud: Cloud, id: string): Promise<void> {
  await cloud.locks.withLock(`group ${id}`, async () => {
    const group = cloud.groups.get(id);
    if (group === undefined) return;
    for (const snapshot of group.snapshots) {
      await removeSnapshot(cloud, snapshot);
      await failpoint('cloud.delete-group.after-snapshot');
    }
    cloud.groups.remove(id);
  });
}
