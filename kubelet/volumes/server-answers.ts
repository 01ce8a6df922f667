import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { quote } from '../../api/go-format.ts';
import type { Container } from '../../api/types.ts';
import { readMountInfo } from '../../linux/mount-info.ts';
import type { MountInfo } from '../../linux/mount-info.ts';
import { ContainerConfigError } from '../environment/container-config-error.ts';
import type { MountedVolume } from './container-mounts.ts';
import { fileSystemStats, NoAnswerError } from './file-system-stats.ts';
import type { AnswerOptions } from './file-system-stats.ts';
import { stepsOf } from './open-beneath.ts';

/** File systems whose calls wait for somebody else, a server on the network or a process. */
const servedTypes = /^(nfs4?|cifs|smb3|ceph|9p|afs|fuse(\..+)?)$/;

/**
 * Resolves when the server behind a path answers, at once when there is none; rejects with NoAnswerError. To be called before the path
 * is looked at on the event loop, where a call that waits for a dead server would stop the node and all its Pods.
 */
export const serverAnswers = async (path: string, options?: AnswerOptions): Promise<void> => {
  const mount = servedMountOf(path, readMountInfo());
  if (mount !== undefined) await answerOf(mount, options);
};

const answerOf = async ({ mountPoint }: MountInfo, options?: AnswerOptions): Promise<void> => {
  try {
    await fileSystemStats(mountPoint, options);
  } catch (error) {
    // Any other is an answer: what comes next fails at once, and in better words.
    if (error instanceof NoAnswerError) throw error;
  }
};

/** Whether calls on the path wait for somebody else. */
export const isServed = (path: string): boolean => servedMountOf(path, readMountInfo()) !== undefined;

/** The same for all volumes that a container mounts. Rejects with ContainerConfigError. */
export const serversAnswer = async (
  { volumeMounts = [] }: Pick<Container, 'volumeMounts'>,
  volumes: ReadonlyMap<string, MountedVolume>,
  options?: AnswerOptions,
): Promise<void> => {
  const names = new Set(volumeMounts.map(({ name }) => name));
  const perhapsServed = [...names].flatMap((name) => {
    const volume = volumes.get(name);
    return volume !== undefined && mayBeServed(volume) ? [{ name, path: volume.hostPath }] : [];
  });
  if (perhapsServed.length === 0) return;
  const table = readMountInfo();
  const looks = perhapsServed.map(async ({ name, path }) => {
    const mount = servedMountOf(path, table);
    if (mount === undefined) return;
    await answerOf(mount, options).catch((cause: unknown) => {
      const message = `the server of volume ${quote(name)} doesn't answer; it is tried again until it does`;
      throw new ContainerConfigError(message, { cause });
    });
  });
  await Promise.all(looks);
};

const mayBeServed = ({ spec: { volume, persistentVolume } }: MountedVolume): boolean =>
  persistentVolume !== undefined ||
  volume.nfs !== undefined ||
  volume.csi !== undefined ||
  volume.hostPath !== undefined;

/**
 * The mount of a server that the path leads to. Every step is looked up in the table of mounts before it is taken, since a path that has
 * reached a server must not be looked at. Undefined for a path that leads to none, or nowhere.
 */
const servedMountOf = (path: string, table: MountInfo[]): MountInfo | undefined => {
  if (!table.some(isServedMount)) return undefined;
  let place = '/';
  let ahead = stepsOf(path);
  for (let linksLeft = 40; linksLeft > 0;) {
    const [step, ...rest] = ahead;
    if (step === undefined) return undefined;
    const next = join(place, step);
    const mount = mountOf(next, table);
    if (mount !== undefined && isServedMount(mount)) return mount;
    const link = linkAt(next);
    if (link === undefined) {
      place = next;
      ahead = rest;
    } else {
      if (link.startsWith('/')) place = '/';
      ahead = [...stepsOf(link), ...rest];
      linksLeft -= 1;
    }
  }
  return undefined;
};

const isServedMount = ({ type }: MountInfo): boolean => servedTypes.test(type);

const linkAt = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // No link, or not there.
  }
};

const mountOf = (path: string, table: MountInfo[]): MountInfo | undefined => {
  const isAbove = ({ mountPoint }: MountInfo) => `${path}/`.startsWith(mountPoint.replace(/\/?$/, '/'));
  // One mounted over another comes later.
  const deeper = (one: MountInfo, other: MountInfo) =>
    other.mountPoint.length < one.mountPoint.length ? one : other;
  const above = table.filter(isAbove);
  return above.length === 0 ? undefined : above.reduce(deeper);
};
