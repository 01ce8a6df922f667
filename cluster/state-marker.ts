import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { hasCode } from '../linux/system-error.ts';
import { clusterPaths } from './paths.ts';

/** The file that says in a folder that the user chose whose state is in there. */
export const STATE_MARKER = '.podwright-cluster';

/** Marks a folder as the state of a cluster: another disk, or none, may be mounted at its path one day. */
export const markState = (folder: string, name: string): void =>
  writeFileSync(join(folder, STATE_MARKER), `${name}\n`);

/** Whether a folder's marker may be of this cluster: that of an `up` that was killed while it wrote it has no name. */
export const mayBeMarkOf = (folder: string, name: string): boolean =>
  [name, ''].includes(read(join(folder, STATE_MARKER))?.trim() ?? '');

/** Whether a folder holds the state of this cluster. One from before there were markers is known by its cluster file. */
export function holdsState(folder: string, name: string): boolean {
  if (read(join(folder, STATE_MARKER))?.trim() === name) return true;
  const text = read(join(folder, basename(clusterPaths(name).clusterFile)));
  return text !== undefined && nameIn(text) === name;
}

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
