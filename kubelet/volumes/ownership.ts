import { chmodSync, lchownSync, lstatSync, readdirSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Container, Pod } from '../../api/types.ts';

export interface OwnershipOptions {
  directory: string;
  /** The Pod's fsGroup; undefined changes nothing. */
  fsGroup: number | undefined;
  /** Files become r--, not rw-, for the group. */
  readOnly: boolean;
  /** `OnRootMismatch` leaves a volume alone whose root is right already. */
  changePolicy?: string | undefined;
}

const setGid = 0o2000;
const groupReadWrite = 0o660;
const groupRead = 0o440;
const groupSearch = 0o110;

/**
 * Gives a volume to the Pod's fsGroup: group ownership everywhere, files rw-rw---- (r--r----- when read-only) on top of the
 * mode they have, directories searchable and with the setgid bit, so that new files belong to the group. Links are
 * never followed. Upstream: pkg/volume/volume_linux.go.
 */
export const applyFsGroup = (options: OwnershipOptions): void => {
  const { directory, fsGroup, readOnly, changePolicy } = options;
  if (fsGroup === undefined) return;
  const mask = readOnly ? groupRead : groupReadWrite;
  if (changePolicy === 'OnRootMismatch' && isRight(statSync(directory), fsGroup, mask)) return;
  const walk = changeBelow(directory, fsGroup, mask);
  while (walk.next().done !== true);
};

/** How long the event loop may wait for files at a time. */
const sliceMs = 10;

/**
 * The same for a volume that may have any number of files: the event loop goes on meanwhile. `onFile` is told how many are
 * done.
 */
export const applyFsGroupInSlices = async (
  options: OwnershipOptions & { onFile?: (count: number) => void },
): Promise<void> => {
  const { directory, fsGroup, readOnly, changePolicy, onFile } = options;
  if (fsGroup === undefined) return;
  const mask = readOnly ? groupRead : groupReadWrite;
  if (changePolicy === 'OnRootMismatch' && isRight(statSync(directory), fsGroup, mask)) return;
  let count = 0;
  let began = performance.now();
  for (const _file of changeBelow(directory, fsGroup, mask)) {
    onFile?.((count += 1));
    if (performance.now() - began < sliceMs) continue;
    await setImmediate();
    began = performance.now();
  }
};

/** Children first, so that a root that is right means that all is right, also after a crash. Stops after each file. */
function* changeBelow(path: string, group: number, mask: number): Generator<undefined> {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) return; // removed meanwhile
  if (info.isDirectory()) {
    for (const name of readdirSync(path)) yield* changeBelow(join(path, name), group, mask);
  }
  lchownSync(path, -1, group);
  yield undefined;
  if (info.isSymbolicLink()) return;
  const forDirectory = info.isDirectory() ? setGid | groupSearch : 0;
  chmodSync(path, (info.mode & 0o7777) | mask | forDirectory);
}

const isRight = (root: Stats, group: number, mask: number): boolean => {
  const wanted = mask | groupSearch | setGid;
  return root.isDirectory() && root.gid === group && (root.mode & wanted) === wanted;
};

/**
 * The uid that all containers of the Pod run as, but for ephemeral ones, for which nothing may change; undefined when they differ or one
 * doesn't say. Upstream: pkg/volume/util FsUserFrom.
 */
export const commonUser = ({ spec }: Pod): number | undefined => {
  const containers: Pick<Container, 'securityContext'>[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
  ];
  const users = containers.map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser,
  );
  return new Set(users).size === 1 ? users[0] : undefined;
};

/** The Pod's fsGroup. */
export const fsGroupOf = ({ spec }: Pod): number | undefined => spec?.securityContext?.fsGroup;
