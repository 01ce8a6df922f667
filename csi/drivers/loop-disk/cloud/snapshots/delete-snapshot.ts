import { rmSync } from 'node:fs';
import { failpoint } from '../../../../../linux/failpoint.ts';
import { snapshotImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';

/**
 * Deletes a snapshot; a copy under way is given up. One that is not there is no error. Throws IN_USE while a disk is
 * being made from it, INVALID_PARAMETER for one of a group, which is deleted as a whole.
 */
export async function deleteSnapshot(cloud: Cloud, id: string): Promise<void> {
  const group = cloud.snapshots.get(id)?.group;
  if (group !== undefined && cloud.groups.get(group) !== undefined)
    throw new CloudError(
      'INVALID_PARAMETER',
      `snapshot '${id}' is part of group '${group}', which is deleted as a whole`,
    );
  await removeSnapshot(cloud, id);
}

/**
 * Deletes a snapshot, whether or not it is of a group.
 *
 *   record ── image          an image without a record is removed at the next start
 */
export async function removeSnapshot(cloud: Cloud, id: string): Promise<void> {
  await cloud.locks.withLock(`content ${id}`, async () => {
    const snapshot = cloud.snapshots.get(id);
    if (snapshot === undefined) return;
    if (cloud.readers.has(id)) throw new CloudError('IN_USE', `a disk is being made from snapshot '${id}'`);
    const copy = cloud.copies.get(id);
    copy?.abort();
    await copy?.ended;
    cloud.snapshots.remove(id);
    cloud.copies.delete(id);
    await failpoint('cloud.delete-snapshot.after-record');
    rmSync(snapshotImage(cloud, snapshot), { force: true });
  });
}
