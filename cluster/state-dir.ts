import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { mountOnItself } from '../linux/mount.ts';
import { ownMountAt } from './own-mount.ts';
import { clusterPaths, STATE_ROOT } from './paths.ts';
import { isLink, realPlace } from './real-place.ts';

/**
 * Makes the state folder of a cluster, or a link at its fixed place to the folder that the user chose. Throws when
 * that folder is in use for something else, or the cluster already lives in another one.
 */
export function prepareStateDir(name: string, chosen?: string): void {
  const { state, run } = clusterPaths(name);
  makeFolder(STATE_ROOT, 0o755);
  if (chosen !== undefined) checkStateDir({ name, state, chosen });
  makeFolderOrLink(state, { target: chosen === undefined ? undefined : realPlace(chosen), mode: 0o711 });
  mkdirSync(run, { recursive: true, mode: 0o711 });
  shareMounts(realPlace(state));
}

function checkStateDir({ name, state, chosen }: { name: string; state: string; chosen: string }): void {
  const target = realPlace(chosen);
  if (lstatSync(state, { throwIfNoEntry: false }) !== undefined) {
    const present = realPlace(state);
    if (present === target) return;
    throw new Error(`--state-dir ${target}: cluster '${name}' lives in ${present}; take it down first`);
  }
  if (existsSync(target) && readdirSync(target).length > 0) {
    throw new Error(`--state-dir ${target}: the folder is not empty; give a new or an empty one`);
  }
}

/**
 * Makes a folder at `path`, or a link there to `target` and that folder. The folder first: all that an `up` that is killed can leave is an
 * empty one, which the next takes, and a link that leads nowhere is one whose disk is not mounted. What is there stays. Throws when it is
 * such a link: a folder made there would be below the mount point, and hold a new, empty cluster.
 */
export function makeFolderOrLink(
  path: string,
  { target, mode }: { target: string | undefined; mode: number },
): void {
  if (existsSync(path)) return;
  if (isLink(path)) {
    throw new Error(
      `${path} leads to ${realPlace(path)}, which is not there; mount its disk, or take the cluster down`,
    );
  }
  makeFolder(target ?? path, mode);
  if (target !== undefined) symlinkSync(target, path);
}

/** With that very mode, whatever the umask: the owner of the kubeconfig has to get through to it. */
function makeFolder(path: string, mode: number): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path), 0o755);
  if (mkdirSync(path, { recursive: true, mode }) !== undefined) chmodSync(path, mode);
}

/**
 * mountPropagation: Bidirectional needs a shared mount below the volumes, whatever the host's root is
 * (mount_namespaces(7)), so the state folder becomes a shared mount of its own; with the disks of the user that are mounted in it, which
 * it would hide.
 */
function shareMounts(folder: string): void {
  if (ownMountAt(folder) === undefined) mountOnItself(folder, { recursive: true });
}
