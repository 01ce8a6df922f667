import { statfsSync } from 'node:fs';
import { TMPFS_MAGIC } from '../../linux/filesystem.ts';
import { isMountPoint, unmountBelow } from '../../linux/mount-info.ts';

export { mountTmpfs } from '../../linux/tmpfs.ts';

/** True when the directory is the root of a mounted tmpfs. */
export const isTmpfs = (directory: string): boolean =>
  isMountPoint(directory) && statfsSync(directory).type === TMPFS_MAGIC;

/** Unmounts whatever is mounted on the directory and below it, deepest first; nothing there is no error. */
export const unmountVolume = (directory: string): void => unmountBelow(directory);
