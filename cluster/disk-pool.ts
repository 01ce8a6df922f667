import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { clusterPaths } from './paths.ts';
import { realPlace } from './real-place.ts';
import { makeFolderOrLink } from './state-dir.ts';

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
  if (!isMade && chosen !== undefined && target !== undefined) checkPool(chosen, target);
  makeFolderOrLink(cloud, { target, mode: 0o700 });
}

function checkPool(chosen: string, target: string): void {
  if (!existsSync(chosen)) throw new Error(`--disk-pool ${chosen}: there is no such folder; make it first`);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new Error(`--disk-pool ${chosen}: ${target} is not empty; remove it or choose another pool`);
}
