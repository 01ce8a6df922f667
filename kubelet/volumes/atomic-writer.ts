import { randomInt } from 'node:crypto';
import { chmodSync, lchownSync, lstatSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
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
  const { directory, onStep = () => undefined } = options;
  const payload = cleanPayload(options.payload);
  const changed = !isCurrent(directory, payload);
  if (changed) publish({ ...options, payload, onStep });
  linkVisibleNames({ directory, payload, onStep });
  removeRemains({ directory, onStep });
  return changed;
};

type Step = Required<Pick<AtomicWriteOptions, 'directory' | 'payload' | 'onStep'>>;

const publish = ({ directory, payload, setPermissions, onStep }: Step & AtomicWriteOptions): void => {
  const name = dataDirectoryName(new Date());
  onStep('make the new directory');
  makeDirectory(join(directory, name));
  for (const [path, { data, mode, user }] of payload) {
    const file = join(directory, name, path);
    makeParents(join(directory, name), path);
    onStep(`write ${path}`);
    writeFileSync(file, data, { flag: 'wx', mode });
    chmodSync(file, mode); // the umask had its say above
    if (user !== undefined) lchownSync(file, user, -1);
  }
  onStep('set permissions');
  setPermissions?.(directory);
  onStep('link the new directory');
  removeLink(join(directory, newDataName));
  symlinkSync(name, join(directory, newDataName));
  onStep('switch');
  renameSync(join(directory, newDataName), join(directory, dataName));
};

const linkVisibleNames = ({ directory, payload, onStep }: Step): void => {
  const wanted = topLevelNames(payload);
  for (const [name, { user }] of wanted) {
    const link = join(directory, name);
    if (targetOf(link) !== undefined || exists(link)) continue;
    onStep(`link ${name}`);
    symlinkSync(`${dataName}/${name}`, link);
    if (user !== undefined) lchownSync(link, user, -1);
  }
  for (const name of readdirSync(directory)) {
    if (wanted.has(name) || targetOf(join(directory, name)) !== `${dataName}/${name}`) continue;
    onStep(`unlink ${name}`);
    removeLink(join(directory, name));
  }
};

/** The previous version, and what a crash left. */
const removeRemains = ({ directory, onStep }: Omit<Step, 'payload'>): void => {
  const current = targetOf(join(directory, dataName));
  for (const name of readdirSync(directory)) {
    if (name === newDataName) removeLink(join(directory, name));
    if (!dataDirectoryPattern.test(name) || name === current) continue;
    onStep('remove the old directory');
    rmSync(join(directory, name), { recursive: true, force: true });
  }
};

const isCurrent = (directory: string, payload: Payload): boolean => {
  const current = targetOf(join(directory, dataName));
  if (current === undefined) return false;
  const root = join(directory, current);
  if (!exists(root)) return false;
  const files = filesBelow(root);
  if (files.length !== payload.size) return false;
  return files.every((path) => payload.get(path)?.data.equals(readFileSync(join(root, path))) === true);
};

const filesBelow = (root: string): string[] =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1));

/** As upstream names it: UTC to the second, and a random number. */
const dataDirectoryName = (now: Date): string =>
  `..${now.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomInt(2 ** 32)}`;

const makeDirectory = (path: string): void => {
  mkdirSync(path);
  chmodSync(path, 0o755);
};

const makeParents = (root: string, path: string): void => {
  const parent = dirname(path);
  if (parent === '.' || exists(join(root, parent))) return;
  makeParents(root, parent);
  makeDirectory(join(root, parent));
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

const removeLink = (path: string): void => {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
};
