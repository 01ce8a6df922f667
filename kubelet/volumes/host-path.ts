import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import type { HostPathVolumeSource } from '../../api/types.ts';
import type { VolumePlugin } from './plugin.ts';
import { serverAnswers } from './server-answers.ts';
import type { VolumeSpec } from './volume-spec.ts';

/** A file or directory of the node itself; it outlives the Pod. */
export const hostPathPlugin: VolumePlugin = {
  name: 'kubernetes.io/host-path',
  canSupport: (spec) => sourceOf(spec) !== undefined,
  requiresRemount: false,
  readOnly: false,
  hostPath: (spec) => sourceOf(spec)?.path ?? '',

  async setUp({ spec }) {
    const { path = '', type = '' } = sourceOf(spec) ?? {};
    if (path.split('/').includes('..')) {
      throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`);
    }
    if (type === '') return undefined;
    await serverAnswers(path);
    checkType(path, type);
    return undefined;
  },

  // It is not ours.
  tearDown: async () => undefined,
};

/** A PersistentVolume's source stands before the Pod's own, which then is a claim. */
const sourceOf = ({ volume, persistentVolume }: VolumeSpec): HostPathVolumeSource | undefined =>
  persistentVolume === undefined ? volume.hostPath : persistentVolume.spec?.hostPath;

interface TypeCheck {
  is(info: Stats): boolean;
  noun: string;
  /** Makes it when nothing is there. */
  make?: (path: string) => void;
}

const isDirectory = (info: Stats) => info.isDirectory();
const isFile = (info: Stats) => info.isFile();

// The mode bits are upstream's (pkg/volume/hostpath): root's, whatever user the container runs as.
const makeDirectory = (path: string): void => {
  mkdirSync(path, { recursive: true, mode: 0o755 });
};
const makeFile = (path: string): void => closeSync(openSync(path, 'a', 0o644));

const types: Record<string, TypeCheck> = {
  Directory: { is: isDirectory, noun: 'a directory' },
  DirectoryOrCreate: { is: isDirectory, noun: 'a directory', make: makeDirectory },
  File: { is: isFile, noun: 'a file' },
  FileOrCreate: { is: isFile, noun: 'a file', make: makeFile },
  Socket: { is: (info) => info.isSocket(), noun: 'a socket file' },
  CharDevice: { is: (info) => info.isCharacterDevice(), noun: 'a character device' },
  BlockDevice: { is: (info) => info.isBlockDevice(), noun: 'a block device' },
};

const checkType = (path: string, type: string): void => {
  const check = Object.hasOwn(types, type) ? types[type] : undefined;
  if (check === undefined) throw new Error(`${type} is an invalid volume type`);
  if (check.make !== undefined && infoOf(path) === undefined) makeWith(check.make, path);
  const info = infoOf(path);
  if (info === undefined || !check.is(info)) {
    throw new Error(`hostPath type check failed: ${path} is not ${check.noun}`);
  }
};

const infoOf = (path: string): Stats | undefined => {
  try {
    return statSync(path);
  } catch {
    // As upstream: what can't be looked at isn't there, and the check below says so.
    return undefined;
  }
};

const makeWith = (make: (path: string) => void, path: string): void => {
  try {
    make(path);
  } catch (error) {
    throw asPathError(error, path);
  }
};

/** `open /x/y: no such file or directory`, as Go words it, out of Node's `ENOENT: no such file or directory, open '/x/y'`. */
const asPathError = (error: unknown, path: string): Error => {
  const message = error instanceof Error ? error.message : String(error);
  const [, words, operation] = /^[A-Z]+: (.*), (\w+)/.exec(message) ?? [];
  return words === undefined
    ? new Error(`${path}: ${message}`, { cause: error })
    : new Error(`${operation} ${path}: ${words}`, { cause: error });
};
