import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hasCode } from '../linux/system-error.ts';
import { clusterPaths } from './paths.ts';

/** The file that says in a folder that the user chose whose state, or whose disks, are in there. */
export const STATE_MARKER = '.podwright-cluster';

/** Marks a folder as a cluster's: another disk, or none, may be mounted at its path one day. */
export const markState = (folder: string, name: string): void =>
  writeFileSync(join(folder, STATE_MARKER), `${name}\n`);

/** Whether a folder is free for a cluster: not there, or empty but for the marker of an `up` that was killed, maybe while it wrote it. */
export const isFreeFor = (folder: string, name: string): boolean =>
  !existsSync(folder) ||
  readdirSync(folder).every((entry) => entry === STATE_MARKER && [name, ''].includes(markOf(folder) ?? ''));

/** Whether a folder holds the state of this cluster. One from before there were markers is known by its cluster file. */
export function holdsState(folder: string, name: string): boolean {
  if (markOf(folder) === name) return true;
  const text = read(join(folder, basename(clusterPaths(name).clusterFile)));
  return text !== undefined && nameIn(text) === name;
}

/** Whether a folder holds the disks of this cluster. One from before there were markers is known by its records. */
export function holdsDisks(folder: string, name: string): boolean {
  const mark = markOf(folder);
  return mark === undefined ? existsSync(join(folder, 'records', 'zones')) : mark === name;
}

const markOf = (folder: string): string | undefined => read(join(folder, STATE_MARKER))?.trim();

function nameIn(clusterFile: string): unknown {
  try {
    return (JSON.parse(clusterFile) as { name?: unknown } | null)?.name;
  } catch {
    return undefined; // not written by us
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return undefined;
    throw error;
  }
}
