import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { resolve } from 'node:path';
import { isMountPoint } from '../linux/mount-info.ts';
import { mountOnItself } from '../linux/mount.ts';
import { clusterPaths, STATE_ROOT } from './paths.ts';

/**
 * Makes the state folder of a cluster, or a link at its fixed place to the folder that the user chose. Throws when
 * that folder is in use for something else, or the cluster already lives in another one.
 */
export function prepareStateDir(name: string, chosen?: string): void {
  const { state, run } = clusterPaths(name);
  mkdirSync(STATE_ROOT, { recursive: true, mode: 0o755 });
  if (chosen === undefined) mkdirSync(state, { recursive: true, mode: 0o711 });
  else linkStateDir({ name, state, target: resolve(chosen) });
  mkdirSync(run, { recursive: true, mode: 0o711 });
  shareMounts(state);
}

function linkStateDir({ name, state, target }: { name: string; state: string; target: string }): void {
  if (lstatSync(state, { throwIfNoEntry: false }) !== undefined) {
    const present = lstatSync(state).isSymbolicLink() ? readlinkSync(state) : state;
    if (present === target) return;
    throw new Error(`--state-dir ${target}: cluster '${name}' lives in ${present}; take it down first`);
  }
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new Error(`--state-dir ${target}: the folder is not empty; give a new or an empty one`);
  }
  mkdirSync(target, { recursive: true, mode: 0o711 });
  symlinkSync(target, state);
}

/**
 * mountPropagation: Bidirectional needs a shared mount below the volumes, whatever the host's root is
 * (mount_namespaces(7)), so the state folder becomes a shared mount of its own.
 */
function shareMounts(state: string): void {
  if (isMountPoint(state)) return;
  mountOnItself(state);
}
