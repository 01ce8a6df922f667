import { readlinkSync, realpathSync } from 'node:fs';
import { normalize } from 'node:path';
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
    const inside = placeInside(root, path);
    if (inside === undefined) throw error;
    return openInside(root, inside, { ...how, noSymlinks: true });
  }
};

const mostLinks = 40;

/**
 * Where a path leads, of which the end may not be there, step by step and never out of the volume: a link that a container has made must
 * not make the node look at a place of its own, which may be a server that doesn't answer. Undefined when it leads out.
 */
const placeInside = (root: string, path: string): string | undefined => {
  const roots = [root, realpathSync(root)].map((one) => normalize(`${one}/`));
  let place: string[] = [];
  let ahead = stepsOf(path);
  for (let links = 0; links < mostLinks;) {
    const [step, ...rest] = ahead;
    if (step === undefined) return place.join('/') || '.';
    if (step === '..') {
      if (place.pop() === undefined) return undefined;
      ahead = rest;
      continue;
    }
    const link = linkIn(root, place.join('/'), step);
    if (link === undefined) {
      place.push(step);
      ahead = rest;
      continue;
    }
    links += 1;
    if (!link.startsWith('/')) {
      ahead = [...stepsOf(link), ...rest];
      continue;
    }
    const target = normalize(`${link}/`);
    const above = roots.find((one) => target.startsWith(one));
    if (above === undefined) return undefined;
    place = [];
    ahead = [...stepsOf(target.slice(above.length)), ...rest];
  }
  return undefined;
};

/** The names that a path is walked by. */
export const stepsOf = (path: string): string[] =>
  path.split('/').filter((step) => step !== '' && step !== '.');

/** What a link says; undefined when it is none, or nothing is there. */
const linkIn = (root: string, folder: string, name: string): string | undefined => {
  try {
    using parent = openInside(root, folder, { noSymlinks: true });
    return readlinkSync(`${parent.path}/${name}`);
  } catch {
    return undefined;
  }
};
