import { statSync } from 'node:fs';
import { snapshotImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import { pageOf } from '../paging.ts';
import type { Page, PageQuery, Snapshot, SnapshotView } from '../types.ts';

/** Throws SNAPSHOT_NOT_FOUND. */
export function getSnapshot(cloud: Cloud, id: string): SnapshotView {
  const snapshot = cloud.snapshots.get(id);
  if (snapshot === undefined) throw new CloudError('SNAPSHOT_NOT_FOUND', `there is no snapshot '${id}'`);
  return viewSnapshot(cloud, snapshot);
}

export interface ListSnapshotsQuery extends PageQuery {
  disk?: string;
}

export function listSnapshots(cloud: Cloud, { disk, ...page }: ListSnapshotsQuery): Page<SnapshotView> {
  const wanted = cloud.snapshots.all().filter((snapshot) => disk === undefined || snapshot.disk === disk);
  const { items, ...next } = pageOf(wanted, page);
  return { items: items.map((snapshot) => viewSnapshot(cloud, snapshot)), ...next };
}

const blockBytes = 512; // st_blocks (inode(7))

export function viewSnapshot(cloud: Cloud, snapshot: Snapshot): SnapshotView {
  const image = statSync(snapshotImage(cloud, snapshot), { throwIfNoEntry: false });
  const percent = snapshot.state === 'copying' ? (cloud.copies.get(snapshot.id)?.percent ?? 0) : 100;
  return { ...snapshot, percent, usedBytes: (image?.blocks ?? 0) * blockBytes };
}
