import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { clusterPaths } from './paths.ts';
import { isLink, realPlace } from './real-place.ts';
import { makeFolderOrLink } from './state-dir.ts';
import { holdsDisks, isFreeFor } from './state-marker.ts';

/**
 * Makes the folder of a cluster's disks, or a link to a folder of its name in the pool that the user chose. Throws when the disks
 * are somewhere else already, or the folder is in use for something else.
 */
export function prepareDiskPool(name: string, chosen?: string): void {
  const { cloud } = clusterPaths(name);
  const target = chosen === undefined ? undefined : realPlace(join(chosen, name));
  const isMade = lstatSync(cloud, { throwIfNoEntry: false }) !== undefined;
  const present = realPlace(cloud);
  if (isMade && target !== undefined && present !== target) {
    throw new Error(
      `--disk-pool ${chosen}: the disks of cluster '${name}' are in ${present}; take it down first`,
    );
  }
  if (isLink(cloud) && existsSync(cloud) && !holdsDisks(cloud, name)) {
    throw new Error(
      `${cloud} leads to ${present}, where the disks of cluster '${name}' are not; mount the pool, or take the cluster down`,
    );
  }
  if (!isMade && chosen !== undefined && target !== undefined) checkPool({ name, chosen, target });
  makeFolderOrLink(cloud, { name, target, mode: 0o700 });
}

function checkPool({ name, chosen, target }: { name: string; chosen: string; target: string }): void {
  if (!existsSync(chosen)) throw new Error(`--disk-pool ${chosen}: there is no such folder; make it first`);
  if (!isFreeFor(target, name))
    throw new Error(`--disk-pool ${chosen}: ${target} is not empty; remove it or choose another pool`);
}
