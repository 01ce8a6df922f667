import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clusterPaths } from './paths.ts';

/**
 * Makes the folder of a cluster's disks, or a link to a folder of its name in the pool that the user chose. Throws when the disks
 * are somewhere else already, or the folder is in use for something else.
 */
export function prepareDiskPool(name: string, chosen?: string): void {
  const { cloud } = clusterPaths(name);
  const present = placeOf(cloud);
  const target = chosen === undefined ? undefined : join(resolve(chosen), name);
  if (present !== undefined) {
    if (target === undefined || present === target) return;
    throw new Error(
      `--disk-pool ${chosen}: the disks of cluster '${name}' are in ${present}; take it down first`,
    );
  }
  if (target === undefined) {
    mkdirSync(cloud, { mode: 0o700 });
    return;
  }
  if (!existsSync(resolve(target, '..')))
    throw new Error(`--disk-pool ${chosen}: there is no such folder; make it first`);
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new Error(`--disk-pool ${chosen}: ${target} is not empty; remove it or choose another pool`);
  mkdirSync(target, { recursive: true, mode: 0o700 });
  symlinkSync(target, cloud);
}

function placeOf(path: string): string | undefined {
  const entry = lstatSync(path, { throwIfNoEntry: false });
  if (entry === undefined) return undefined;
  return entry.isSymbolicLink() ? readlinkSync(path) : path;
}
