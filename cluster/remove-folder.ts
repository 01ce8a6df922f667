import { existsSync, lstatSync, rmdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type MountInfo, mountsBelow, readMountInfo } from '../linux/mount-info.ts';
import { unmount } from '../linux/mount.ts';
import { hasCode } from '../linux/system-error.ts';
import { ownMountAt } from './own-mount.ts';
import { isLink, realPlace } from './real-place.ts';
import { STATE_MARKER } from './state-marker.ts';

/**
 * Unmounts what is mounted below a folder and our own mount of it, then removes it, and the link that led there; never deletes across
 * a mount point. Nothing there is fine.
 */
export function removeFolder(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  const folder = realPlace(path);
  unmountInside(folder);
  unmountOwn(folder);
  const left = strictlyBelow(folder);
  if (left.length > 0) {
    throw new Error(
      `remove ${folder}: still mounted below it: ${left.map(({ mountPoint }) => mountPoint).join(', ')}; nothing was deleted there`,
    );
  }
  removeTree(folder);
  if (isLink(path)) rmSync(path); // a folder that links only led to stays when a disk is mounted on it
}

/** One that stands on another of ours hides what is mounted inside that one. */
function unmountOwn(folder: string): void {
  for (const { mountPoint } of mountsBelow(folder)) {
    const own = mountPoint === folder ? ownMountAt(folder) : undefined;
    if (own === undefined) continue;
    detach(own);
    unmountInside(folder);
  }
}

/** Unmounts everything below a folder, deepest first, the folder's own mount left out. */
export function unmountInside(folder: string): void {
  for (const mount of strictlyBelow(folder)) detach(mount);
}

const strictlyBelow = (folder: string): MountInfo[] =>
  mountsBelow(folder).filter(({ mountPoint }) => mountPoint !== folder);

/**
 * Somebody's open file or working directory keeps a mount busy (EBUSY, umount(2)). All of ours has ended by now and nothing of it is
 * to be kept, so such a mount is detached: out of every path at once, and gone when that somebody lets go. Only when nothing stands on
 * it any more, since a detached mount takes along what does.
 */
function detach({ id, mountPoint }: MountInfo): void {
  try {
    return unmount(mountPoint, { ifMounted: true });
  } catch (error) {
    if (!hasCode(error, 'EBUSY')) throw error;
    const onIt = readMountInfo().find(({ parentId }) => parentId === id);
    if (onIt !== undefined)
      throw new Error(`unmount ${mountPoint}: ${onIt.mountPoint} is mounted on it`, { cause: error });
  }
  return unmount(mountPoint, { lazy: true });
}

/**
 * A folder that a disk of the user is mounted on is emptied and stays. A file made meanwhile gets a second look. The marker goes last: as
 * long as anything is left, another `down` goes on with it.
 */
function removeTree(folder: string): void {
  const again = { recursive: true, force: true, maxRetries: 5, retryDelay: 20 };
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names) if (name !== STATE_MARKER) rmSync(join(folder, name), again);
  if (!mountsBelow(folder).some(({ mountPoint }) => mountPoint === folder)) return rmSync(folder, again);
  return rmSync(join(folder, STATE_MARKER), again);
}

/** Removes a folder that clusters share when the last one has left it; what another one just made in it stays. */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'EBUSY', 'ENOTDIR')) throw error;
  }
}
