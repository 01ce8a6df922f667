import { chmodSync, lchownSync, lstatSync, readdirSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
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
  changeBelow(directory, fsGroup, mask);
};

/** Children first, so that a root that is right means that all is right, also after a crash. */
const changeBelow = (path: string, group: number, mask: number): void => {
  const info = lstatSync(path, { throwIfNoEntry: false });
  if (info === undefined) return; // removed meanwhile
  if (info.isDirectory()) {
    for (const name of readdirSync(path)) changeBelow(join(path, name), group, mask);
  }
  lchownSync(path, -1, group);
  if (info.isSymbolicLink()) return;
  const forDirectory = info.isDirectory() ? setGid | groupSearch : 0;
  chmodSync(path, (info.mode & 0o7777) | mask | forDirectory);
};

const isRight = (root: Stats, group: number, mask: number): boolean => {
  const wanted = mask | groupSearch | setGid;
  return root.isDirectory() && root.gid === group && (root.mode & wanted) === wanted;
};

/** The uid that all containers of the Pod run as; undefined when they differ or one doesn't say. */
export const commonUser = ({ spec }: Pod): number | undefined => {
  const containers: Pick<Container, 'securityContext'>[] = [
    ...(spec?.initContainers ?? []),
    ...(spec?.containers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ];
  const users = containers.map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec?.securityContext?.runAsUser,
  );
  return new Set(users).size === 1 ? users[0] : undefined;
};

/** The Pod's fsGroup. */
export const fsGroupOf = ({ spec }: Pod): number | undefined => spec?.securityContext?.fsGroup;
