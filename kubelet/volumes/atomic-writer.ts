import { randomInt } from 'node:crypto';
import { lchownSync, lstatSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { readlinkSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode } from '../../linux/system-error.ts';
import { cleanPayload, topLevelNames } from './payload.ts';
import type { Payload } from './payload.ts';

export interface AtomicWriteOptions {
  /** The volume's directory; it must exist. */
  directory: string;
  payload: Payload;
  /** Called with the volume's directory before the new files can be seen, to set their owner and mode. */
  setPermissions?: ((directory: string) => void) | undefined;
  /**
   * When to remove the old version; default at once. A later one lets many volumes switch first, and may be lost in a
   * crash: the next write removes it too.
   */
  later?: ((work: () => void) => void) | undefined;
  /** Called before each step that changes something on disk; tests crash here. */
  onStep?: (step: string) => void;
}

const dataName = '..data';
const newDataName = '..data_tmp';
const dataDirectoryPattern = /^\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\./;

/**
 * Makes the files of a volume those of the payload, all in one moment; returns false when they were already. The layout and
 * the guarantees are those of upstream's pkg/volume/util/atomic_writer.go:
 *
 *   directory/..2026_01_31_12_00_00.1234567   the files; a new directory for each version
 *   directory/..data -> ..2026_01_31_12_00_00.1234567     replaced by rename(2): the one atomic switch
 *   directory/name   -> ..data/name                       one link for each top-level name
 *
 * A reader that opens files below one resolved `..data` never sees two versions mixed. An error leaves what a crash at
 * that moment would leave: a complete old or a complete new version, and remains that the next write removes.
 * Throws Error for a path that is absolute, too long or contains or begins with `..`.
 */
export const writeAtomically = (options: AtomicWriteOptions): boolean => {
  const { directory, onStep = () => undefined, later = (work) => work() } = options;
  const payload = cleanPayload(options.payload);
  const changed = !isCurrent(directory, payload);
  if (changed) withoutUmask(() => publish({ ...options, payload, onStep }));
  const names = readdirSync(directory);
  linkVisibleNames({ directory, payload, onStep, names });
  if (names.filter(isOurs).length > 2) later(() => removeRemains(directory, onStep));
  return changed;
};

type Step = Required<Pick<AtomicWriteOptions, 'directory' | 'payload' | 'onStep'>>;

const publish = ({ directory, payload, setPermissions, onStep }: Step & AtomicWriteOptions): void => {
  const name = dataDirectoryName(new Date());
  onStep('make the new directory');
  mkdirSync(join(directory, name), 0o755);
  for (const [path, { data, mode, user }] of payload) {
    const file = join(directory, name, path);
    makeParents(join(directory, name), path);
    onStep(`write ${path}`);
    writeFileSync(file, data, { flag: 'wx', mode });
    if (user !== undefined) lchownSync(file, user, -1);
  }
  onStep('set permissions');
  setPermissions?.(directory);
  onStep('link the new directory');
  replaceLink(name, join(directory, newDataName));
  onStep('switch');
  renameSync(join(directory, newDataName), join(directory, dataName));
};

const linkVisibleNames = ({ directory, payload, onStep, names }: Step & { names: string[] }): void => {
  const wanted = topLevelNames(payload);
  const present = new Set(names);
  for (const [name, { user }] of wanted) {
    if (present.has(name)) continue;
    onStep(`link ${name}`);
    symlinkSync(`${dataName}/${name}`, join(directory, name));
    if (user !== undefined) lchownSync(join(directory, name), user, -1);
  }
  for (const name of names) {
    if (isOurs(name) || wanted.has(name)) continue;
    if (targetOf(join(directory, name)) !== `${dataName}/${name}`) continue;
    onStep(`unlink ${name}`);
    unlinkSync(join(directory, name));
  }
};

/** The previous version, and what a crash left. */
const removeRemains = (directory: string, onStep: (step: string) => void): void => {
  // Later may be after the volume has gone.
  const current = targetOf(join(directory, dataName));
  if (current === undefined) return;
  for (const name of readdirSync(directory)) {
    if (name !== newDataName && (!dataDirectoryPattern.test(name) || name === current)) continue;
    onStep('remove the old directory');
    rmSync(join(directory, name), { recursive: true, force: true });
  }
};

const isOurs = (name: string): boolean => name.startsWith('..');

const isCurrent = (directory: string, payload: Payload): boolean => {
  const current = targetOf(join(directory, dataName));
  if (current === undefined) return false;
  const root = join(directory, current);
  for (const [path, { data }] of payload) if (!hasContent(join(root, path), data)) return false;
  return exists(root) && filesBelow(root) === payload.size;
};

const hasContent = (file: string, data: Buffer): boolean => {
  const info = lstatSync(file, { throwIfNoEntry: false });
  return info?.isFile() === true && info.size === data.length && data.equals(readFileSync(file));
};

const filesBelow = (root: string): number =>
  readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory()).length;

/** As upstream names it: UTC to the second, and a random number. */
const dataDirectoryName = (now: Date): string =>
  `..${now.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomInt(2 ** 32)}`;

const makeParents = (root: string, path: string): void => {
  const parent = dirname(path);
  if (parent === '.' || exists(join(root, parent))) return;
  makeParents(root, parent);
  mkdirSync(join(root, parent), 0o755);
};

/** Modes are what they are asked to be. Nothing else runs meanwhile, and it saves a chmod for each file. */
const withoutUmask = (work: () => void): void => {
  const umask = process.umask(0);
  try {
    work();
  } finally {
    process.umask(umask);
  }
};

const replaceLink = (target: string, link: string): void => {
  try {
    symlinkSync(target, link);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    unlinkSync(link);
    symlinkSync(target, link);
  }
};

const targetOf = (path: string): string | undefined => {
  try {
    return readlinkSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'EINVAL')) return undefined;
    throw error;
  }
};

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false }) !== undefined;
