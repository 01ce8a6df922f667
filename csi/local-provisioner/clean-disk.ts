import { readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isHeld } from '../../linux/block-device.ts';
import { run } from '../../linux/command.ts';
import { isMountPoint, mountsBelow } from '../../linux/mount-info.ts';

/**
 * Deletes what is in a directory, but not the directory. Rejects with an Error when nothing is mounted there (the disk has
 * been taken out, and what is below is the node's own) or when something else is mounted inside of it.
 */
export const cleanDirectory = async (path: string): Promise<void> => {
  if (!isMountPoint(path)) throw new Error(`nothing is mounted at ${path}; mount its disk again`);
  const inside = mountsBelow(path)
    .map(({ mountPoint }) => mountPoint)
    .find((mountPoint) => mountPoint !== path);
  if (inside !== undefined) throw new Error(`${inside} is mounted inside of ${path}; unmount it`);
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
};

/** Somebody has the disk for himself. */
export class DiskBusy extends Error {}

/**
 * Makes a block device all zeros, by `blkdiscard --zeroout` (a loop device's file gets a hole) or by a command of the
 * operator's, which finds the device in LOCAL_PV_BLKDEVICE. Rejects with DiskBusy while somebody has the device for
 * himself, a mounted file system above all.
 */
export const cleanBlockDevice = async (
  path: string,
  { command, signal }: { command?: readonly string[] | undefined; signal?: AbortSignal | undefined } = {},
): Promise<void> => {
  const device = await realpath(path);
  if (isHeld(device)) throw new DiskBusy(`${device} is in use; unmount it`);
  const [program = 'blkdiscard', ...args] = command ?? ['blkdiscard', '--zeroout', device];
  await run(program, args, {
    env: { LOCAL_PV_BLKDEVICE: device },
    ...(signal === undefined ? {} : { signal }),
  });
};
