import { lstatSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { isMountPoint, mountsBelow } from '../../linux/mount-info.ts';
import { hasCode } from '../../linux/system-error.ts';
import { pathInside, withinPathLimit } from '../../linux/within-path-limit.ts';

/**
 * Removes a directory and all in it, links as links. Does nothing when it isn't there. Throws Error, before anything is
 * removed, when something is mounted in it or on it: what is mounted there is somebody's data.
 */
export const removeTree = async (path: string): Promise<void> => {
  const mounted = mountsBelow(path)[0];
  if (mounted !== undefined) throw mountedError(path, mounted.mountPoint);
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) return;
  await (info.isDirectory() ? removeDirectory(Buffer.from(path)) : unlink(path));
};

/** Removes what is in a directory and keeps the directory. Throws Error for a folder in it that something is mounted on. */
export const emptyDirectory = (path: string): Promise<void> => removeContent(Buffer.from(path));

const removeDirectory = async (path: Buffer): Promise<void> => {
  // Looked at again for each directory: a mount may have come since.
  if (isMountPoint(path)) throw mountedError(String(path), String(path));
  await removeContent(path);
  await unlessGone(rmdir(path));
};

const removeContent = (path: Buffer): Promise<void> =>
  withinPathLimit(path, async (directory) => {
    for (const entry of await entriesOf(directory)) {
      const child = pathInside(directory, entry.name);
      await unlessGone(entry.isDirectory() ? removeDirectory(child) : unlink(child));
    }
  });

const entriesOf = async (path: Buffer) => {
  try {
    return await readdir(path, { withFileTypes: true, encoding: 'buffer' });
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
