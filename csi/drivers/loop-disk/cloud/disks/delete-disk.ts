import { rmSync } from 'node:fs';
import { failpoint } from '../../../../../linux/failpoint.ts';
import { diskImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';

/**
 * Deletes a disk and its content. One that is not there is no error; its snapshots stay. Throws DISK_ATTACHED, naming
 * the machines, and IN_USE while it is being copied.
 *
 *   record ── image          an image without a record is removed at the next start
 */
export async function deleteDisk(cloud: Cloud, id: string): Promise<void> {
  await cloud.locks.withLock(`disk ${id}`, async () => {
    const disk = cloud.disks.get(id);
    if (disk === undefined) return;
    if (disk.attachments.length > 0) {
      const holders = disk.attachments.map(({ instance }) => `'${instance}'`).join(', ');
      throw new CloudError('DISK_ATTACHED', `disk '${id}' is attached to ${holders}`);
    }
    if (cloud.readers.has(id)) throw new CloudError('IN_USE', `disk '${id}' is being copied`);
    const copy = cloud.copies.get(id);
    copy?.abort();
    await copy?.ended;
    if (cloud.disks.get(id) !== undefined) cloud.disks.remove(id);
    cloud.copies.delete(id);
    await failpoint('cloud.delete.after-record');
    rmSync(diskImage(cloud, disk), { force: true });
  });
}
