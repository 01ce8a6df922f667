import { setTimeout as delay } from 'node:timers/promises';
import { flushBlockDevice } from '../../../../../linux/block-device.ts';
import {
  attachLoop,
  cutOffLoop,
  detachLoop,
  loopAt,
  loopsOf,
  updateLoopCapacity,
} from '../../../../../linux/loop-device.ts';
import type { LoopDevice } from '../../../../../linux/loop-device.ts';
import { hasCode } from '../../../../../linux/system-error.ts';
import { diskImage } from '../cloud.ts';
import type { Cloud } from '../cloud.ts';
import { asCloudError } from '../copy-task.ts';
import { CloudError } from '../errors.ts';
import type { AttachMode, Disk } from '../types.ts';

/**
 * The block device of a disk: the one that it has, otherwise a new one. One device per disk, however many instances
 * share it.
 */
export function ensureDevice(cloud: Cloud, disk: Disk, mode: AttachMode): string {
  const readOnly = mode === 'read-only';
  const known = liveDevice(cloud, disk);
  if (known?.readOnly === readOnly) return known.path;
  try {
    const path = attachLoop(diskImage(cloud, disk), { readOnly, directIo: disk.cache === 'none' });
    cloud.devices.set(disk.id, path);
    return path;
  } catch (error) {
    throw asCloudError(error);
  }
}

function liveDevice(cloud: Cloud, disk: Disk): LoopDevice | undefined {
  const path = cloud.devices.get(disk.id);
  const loop = path === undefined ? undefined : loopAt(path);
  return loop?.backingFile === diskImage(cloud, disk) && !loop.cutOff ? loop : undefined;
}

/** The live devices that the kernel has for a disk: after a restart, or when somebody else made one. */
export const devicesInKernel = (cloud: Cloud, disk: Pick<Disk, 'region' | 'zone' | 'id'>): LoopDevice[] =>
  loopsOf(diskImage(cloud, disk)).filter(({ cutOff }) => !cutOff);

/**
 * How long a device may still be held after its machine let go: a probe of udev, a mount that another namespace gives
 * up a moment later.
 */
const letGoMs = 2000;

/**
 * Takes a disk's device away. While somebody holds it: IN_USE; with `force` it is cut off, as when a machine that does
 * not answer any more loses its disk: whatever is mounted there gets errors from now on, and nothing of it reaches the
 * disk.
 */
export async function releaseDevice(cloud: Cloud, disk: Disk, { force }: { force: boolean }): Promise<void> {
  for (const loop of devicesInKernel(cloud, disk)) {
    try {
      await detachLoop(loop, { timeoutMs: letGoMs });
    } catch (error) {
      if (!hasCode(error, 'EBUSY')) throw error;
      if (!force)
        throw new CloudError('IN_USE', `disk '${disk.id}' is in use at ${loop.path}: ${whoHolds(loop)}`, {
          cause: error,
        });
      await saveWhatCanBe(cloud, loop);
      cutOffLoop(loop);
      cloud.log.warn({ disk: disk.id, device: loop.path }, 'cut off a disk that was in use');
    }
  }
  cloud.devices.delete(disk.id);
}

const whoHolds = ({ path }: LoopDevice): string =>
  `it is mounted or open ('grep "${path} " /proc/*/mountinfo' and 'fuser ${path}' show by whom)`;

/** What its user has written so far still belongs to the disk. One that cannot write any more must not hold up the detach. */
async function saveWhatCanBe(cloud: Cloud, loop: LoopDevice): Promise<void> {
  const late = delay(longestFlushMs, undefined, { ref: false }).then(() => {
    throw new Error(`not done after ${longestFlushMs} ms`);
  });
  try {
    await Promise.race([flushBlockDevice(loop.path), late]);
  } catch (error) {
    cloud.log.warn(
      { device: loop.path, err: error },
      'what a disk in use had in memory could not be written',
    );
  }
}

const longestFlushMs = 5000;

/** Tells a disk's device that the image has grown. */
export function growDevice(cloud: Cloud, disk: Disk): void {
  const loop = liveDevice(cloud, disk);
  if (loop !== undefined) updateLoopCapacity(loop.path);
}
