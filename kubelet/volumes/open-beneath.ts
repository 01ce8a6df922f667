import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { openInside } from '../../linux/filesystem.ts';
import type { OpenedPath } from '../../linux/filesystem.ts';
import { hasCode } from '../../linux/system-error.ts';

export interface OpenBeneathOptions {
  root: string;
  /** Relative to the root, without `..`. */
  path: string;
  /** As openInside() takes them. */
  flags?: number;
}

/**
 * Opens a path in a volume by links that stay in it. The kernel refuses absolute ones unseen (openat2(2) RESOLVE_BENEATH), though on the
 * node they may lead back into the volume; what they lead to is then opened without any link, so that one planted at the same moment is an
 * error (ELOOP). Throws SystemError: EXDEV for a path that leads out, ENOENT. Upstream: subpath_linux.go doBindSubPath.
 */
export const openBeneath = ({ root, path, flags }: OpenBeneathOptions): OpenedPath => {
  const how = { resolve: 'beneath' as const, ...(flags === undefined ? {} : { flags }) };
  try {
    return openInside(root, path, how);
  } catch (error) {
    if (!hasCode(error, 'EXDEV')) throw error;
    const inside = realPathInside(root, path);
    if (inside === undefined) throw error;
    return openInside(root, inside, { ...how, noSymlinks: true });
  }
};

/** Where a path leads, of which the end may not be there; undefined when that is outside. */
const realPathInside = (root: string, path: string): string | undefined => {
  try {
    const inside = relative(realpathSync(root), realpathSync(join(root, path)));
    return inside.split('/')[0] === '..' ? undefined : inside;
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || path === '.') return undefined;
  }
  const parent = realPathInside(root, dirname(path));
  return parent === undefined ? undefined : join(parent, basename(path));
};
