import { failpoint } from '../../../../../linux/failpoint.ts';
import { reserve } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { CloudError } from '../errors.ts';
import { disksOf, getInstance } from '../regions/instances.ts';
import type { AttachMode, Disk, DiskView } from '../types.ts';
import { ensureDevice } from './device.ts';
import { findDisk, viewDisk } from './get-disk.ts';

export interface AttachRequest {
  instance: string;
  mode: AttachMode;
}

/**
 * Makes a disk a block device of a machine of its zone; the answer's `devicePath` says which. Attached there already in
 * the same mode: the same answer. Throws ATTACHED_ELSEWHERE (naming the machine) against the modes,
 * ATTACH_MODE_CONFLICT, ZONE_MISMATCH, INSTANCE_FULL, NOT_READY.
 *
 *   record ── loop device          a restart finds the record and makes the device that is missing
 */
export async function attachDisk(cloud: Cloud, id: string, request: AttachRequest): Promise<DiskView> {
  checkMode(request.mode);
  return await cloud.locks.withLock(`disk ${id}`, async () => {
    const disk = findDisk(cloud, id);
    if (check(cloud, disk, request) === 'attached') {
      ensureDevice(cloud, disk, request.mode);
      return viewDisk(cloud, disk);
    }
    using _reserved = reserve(cloud.reservedDisks, request.instance, 1);
    const attachment = { ...request, attachedAt: new Date().toISOString() };
    const attached = { ...disk, attachments: [...disk.attachments, attachment] };
    await cloud.disks.put(id, attached);
    await failpoint('cloud.attach.after-record');
    try {
      const device = ensureDevice(cloud, attached, request.mode);
      cloud.log.info({ disk: id, instance: request.instance, device }, 'attached');
    } catch (error) {
      await cloud.disks.put(id, disk);
      throw error;
    }
    await failpoint('cloud.attach.after-device');
    return viewDisk(cloud, attached);
  });
}

const modes: AttachMode[] = ['read-write', 'read-only', 'shared-write'];

function checkMode(mode: AttachMode): void {
  if (modes.includes(mode)) return;
  throw new CloudError('INVALID_PARAMETER', `mode ${JSON.stringify(mode)} is not one of ${modes.join(', ')}`);
}

function check(cloud: Cloud, disk: Disk, { instance, mode }: AttachRequest): 'attached' | 'free' {
  const { zone, maxDisks } = getInstance(cloud, instance);
  const here = disk.attachments.find((attachment) => attachment.instance === instance);
  if (here?.mode === mode) return 'attached';
  if (here !== undefined)
    throw new CloudError(
      'ATTACH_MODE_CONFLICT',
      `disk '${disk.id}' is attached to '${instance}' already, ${here.mode}`,
    );
  if (zone !== disk.zone)
    throw new CloudError(
      'ZONE_MISMATCH',
      `disk '${disk.id}' is in zone '${disk.zone}', instance '${instance}' in '${zone}'`,
    );
  checkOthers(disk, mode);
  if (disk.state !== 'available' || cloud.readers.has(disk.id))
    throw new CloudError('NOT_READY', `disk '${disk.id}' is being copied`);
  if (disksOf(cloud, instance).length + (cloud.reservedDisks.get(instance) ?? 0) >= maxDisks)
    throw new CloudError(
      'INSTANCE_FULL',
      `instance '${instance}' has ${maxDisks} disks attached, which is all it takes`,
    );
  return 'free';
}

function checkOthers(disk: Disk, mode: AttachMode): void {
  if (disk.attachments.every((other) => other.mode === mode && mode !== 'read-write')) return;
  const holders = disk.attachments.map((other) => `'${other.instance}' (${other.mode})`).join(', ');
  throw new CloudError('ATTACHED_ELSEWHERE', `disk '${disk.id}' is attached to ${holders}`);
}
