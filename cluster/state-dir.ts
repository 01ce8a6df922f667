import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { mountOnItself } from '../linux/mount.ts';
import { ownMountAt } from './own-mount.ts';
import { clusterPaths, STATE_ROOT } from './paths.ts';
import { isLink, realPlace } from './real-place.ts';
import { holdsState, isFreeFor, markState } from './state-marker.ts';

/**
 * Makes the state folder of a cluster, or a link at its fixed place to the folder that the user chose. Throws when
 * that folder is in use for something else, or the cluster already lives in another one, or its disk is not mounted.
 */
export function prepareStateDir(name: string, chosen?: string): void {
  const { state, run } = clusterPaths(name);
  const target = chosen === undefined ? undefined : realPlace(chosen);
  makeFolder(STATE_ROOT, 0o755);
  if (target !== undefined) checkTarget({ name, state, target });
  checkLink({ name, state });
  makeFolderOrLink(state, { name, target, mode: 0o711 });
  mkdirSync(run, { recursive: true, mode: 0o711 });
  shareMounts(realPlace(state));
}

function checkTarget({ name, state, target }: { name: string; state: string; target: string }): void {
  if (lstatSync(state, { throwIfNoEntry: false }) !== undefined) {
    const present = realPlace(state);
    if (present === target) return;
    throw new Error(`--state-dir ${target}: cluster '${name}' lives in ${present}; take it down first`);
  }
  if (isFreeFor(target, name)) return;
  throw new Error(`--state-dir ${target}: the folder is not empty; give a new or an empty one`);
}

function checkLink({ name, state }: { name: string; state: string }): void {
  if (!isLink(state) || !existsSync(state) || holdsState(state, name)) return;
  throw new Error(
    `${state} leads to ${realPlace(state)}, where cluster '${name}' is not; mount its disk, or take the cluster down`,
  );
}

/**
 * Makes a folder at `path`, or a link there to `target` and that folder, marked as the cluster's. The folder first: all that an `up` that is killed can leave is an
 * empty (or marked) one, which the next takes, and a link that leads nowhere is one whose disk is not mounted. What is there stays. Throws
 * when it is such a link: a folder made there would be below the mount point, and hold a new, empty cluster.
 */
export function makeFolderOrLink(
  path: string,
  { name, target, mode }: { name: string; target: string | undefined; mode: number },
): void {
  if (existsSync(path)) return;
  if (isLink(path)) {
    throw new Error(
      `${path} leads to ${realPlace(path)}, which is not there; mount its disk, or take the cluster down`,
    );
  }
  makeFolder(target ?? path, mode);
  if (target === undefined) return;
  markState(target, name); // before the link is there: what is not marked then is another disk
  symlinkSync(target, path);
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
