import { lstatSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isMountPoint, mountsBelow } from '../../linux/mount-info.ts';
import { hasCode } from '../../linux/system-error.ts';
import { withinPathLimit } from '../../linux/within-path-limit.ts';

/**
 * Removes a directory and all in it, links as links. Does nothing when it isn't there. Throws Error, before anything is
 * removed, when something is mounted in it or on it: what is mounted there is somebody's data.
 */
export const removeTree = async (path: string): Promise<void> => {
  const mounted = mountsBelow(path)[0];
  if (mounted !== undefined) throw mountedError(path, mounted.mountPoint);
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) return;
  await (info.isDirectory() ? removeDirectory(path) : unlink(path));
};

/** Removes what is in a directory and keeps the directory. */
export const emptyDirectory = async (path: string): Promise<void> => {
  for (const name of await readdir(path)) await removeTree(join(path, name));
};

const removeDirectory = async (path: string): Promise<void> => {
  // Looked at again for each directory: a mount may have come since.
  if (isMountPoint(path)) throw mountedError(path, path);
  await withinPathLimit(path, async (directory) => {
    for (const entry of await entriesOf(directory)) {
      const child = join(directory, entry.name);
      await unlessGone(entry.isDirectory() ? removeDirectory(child) : unlink(child));
    }
  });
  await unlessGone(rmdir(path));
};

const entriesOf = async (path: string) => {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

const unlessGone = async (removal: Promise<void>): Promise<void> => {
  try {
    await removal;
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
};

const mountedError = (path: string, mountPoint: string): Error =>
  new Error(`not removing ${path}: ${mountPoint} is mounted`);
