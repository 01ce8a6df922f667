import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { hasCode } from '../linux/system-error.ts';

/**
 * The path of a folder without symlinks, whether the folder is there yet or not. A link that leads nowhere gives where it leads to.
 */
export function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || dirname(path) === path) throw error;
  }
  const parent = realPlace(dirname(resolve(path)));
  const place = join(parent, basename(path));
  return isLink(place) ? realPlace(resolve(parent, readlinkSync(place))) : place;
}

export const isLink = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
