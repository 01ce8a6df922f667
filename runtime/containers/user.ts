import { fstatSync, readFileSync } from 'node:fs';
import { openInside, type OpenedPath } from '../../linux/filesystem.ts';
import { hasCode } from '../../linux/system-error.ts';
import type { LinuxContainerSecurityContext } from '../cri/types.ts';
import { CriError, invalidArgument } from '../errors.ts';
import type { ContainerUserRecord } from './record.ts';

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}
interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

export interface ResolvedUser {
  user: ContainerUserRecord;
  home: string;
}

/** What runc takes: the kernel knows more, but beyond 32 bits an id would wrap around to another user's, such as root's. */
const highestId = 2 ** 31 - 1;

/**
 * Who the container's process runs as: the security context's user or else the image's, looked up in the image's own
 * /etc/passwd and /etc/group. With policy Merge the groups that the image gives the user are added to the ones asked for;
 * with Strict they are not (KEP-3619). Throws as containerd does: a user's name that the image doesn't know is an error, and so is an id
 * above 2^31 - 1 (CVE-2024-40635).
 */
export function resolveUser(
  rootfs: string,
  imageUser: string,
  security: LinuxContainerSecurityContext | null,
): ResolvedUser {
  const { user, group } = askedUser(imageUser, security);
  const passwd = readColonFile(rootfs, 'etc/passwd').map(passwdEntry);
  const groups = readColonFile(rootfs, 'etc/group').map(groupEntry);
  const entry = findUser(passwd, user);
  const gid = group === '' ? (entry?.gid ?? 0) : findGroup(groups, group);
  const uid = entry?.uid ?? Number(user);
  const known = passwd.find((one) => one.uid === uid) ?? entry;
  const fromImage =
    security?.supplementalGroupsPolicy === 'Strict'
      ? []
      : groups
          .filter(({ members }) => known !== undefined && members.includes(known.name))
          .map((one) => one.gid);
  const supplementalGroups = [...new Set([gid, ...fromImage, ...(security?.supplementalGroups ?? [])])];
  const asked = group === '' ? user : `${user}:${group}`;
  if (!isInRange(uid)) throw outOfRange(asked, 'uid');
  if (!supplementalGroups.every(isInRange)) throw outOfRange(asked, 'gid');
  return { user: { uid, gid, supplementalGroups }, home: known?.home || '/' };
}

function askedUser(
  imageUser: string,
  security: LinuxContainerSecurityContext | null,
): { user: string; group: string } {
  const asked = security?.runAsUsername || security?.runAsUser?.value.toString() || '';
  const askedGroup = security?.runAsGroup?.value.toString() ?? '';
  if (asked === '' && askedGroup !== '')
    throw invalidArgument(`user group ${JSON.stringify(askedGroup)} is specified without user`);
  const [user = '', group = ''] = (asked === '' ? imageUser : asked).split(':', 2);
  return { user: user === '' ? '0' : user, group: askedGroup === '' ? group : askedGroup };
}

function findUser(passwd: PasswdEntry[], user: string): PasswdEntry | undefined {
  const byName = passwd.find(({ name }) => name === user);
  if (byName !== undefined || !isId(user)) return byName ?? refuse('users', user);
  return passwd.find(({ uid }) => uid === Number(user));
}

function findGroup(groups: GroupEntry[], group: string): number {
  if (isId(group)) return Number(group);
  return groups.find(({ name }) => name === group)?.gid ?? refuse('groups', group);
}

const isId = (text: string): boolean => /^\d+$/.test(text);

const isInRange = (id: number): boolean => Number.isInteger(id) && id >= 0 && id <= highestId;

const outOfRange = (asked: string, id: 'uid' | 'gid'): CriError =>
  new CriError('UNKNOWN', `invalid USER value ${JSON.stringify(asked)}: ${id} out of range`);

function refuse(kind: 'users' | 'groups', name: string): never {
  throw new CriError('UNKNOWN', `no ${kind} found for ${JSON.stringify(name)} in the image`);
}

const passwdEntry = ([name = '', , uid, gid, , home = '']: string[]): PasswdEntry => ({
  name,
  uid: Number(uid),
  gid: Number(gid),
  home,
});

const groupEntry = ([name = '', , gid, members = '']: string[]): GroupEntry => ({
  name,
  gid: Number(gid),
  members: members.split(','),
});

const mostBytes = 10 * 1024 * 1024;

// The path is followed inside the image: its /etc may be a symlink to anywhere.
function readColonFile(rootfs: string, path: string): string[][] {
  try {
    using file = openInside(rootfs, path);
    return readRegularFile(file, `/${path} of the image`)
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split(':'));
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EXDEV')) return [];
    throw error;
  }
}

// An image may have anything there. To open a FIFO waits for a writer, to open a device is to use it: so it is looked at by a
// descriptor that opens nothing (O_PATH), and only then opened.
function readRegularFile({ fd, path }: OpenedPath, name: string): string {
  const status = fstatSync(fd);
  if (!status.isFile()) throw new CriError('UNKNOWN', `failed to read ${name}: not a regular file`);
  if (status.size > mostBytes)
    throw new CriError('UNKNOWN', `failed to read ${name}: larger than ${mostBytes} bytes`);
  return readFileSync(path, 'utf8');
}
