import { posix } from 'node:path';
import { quote } from '../../api/go-format.ts';

/** One file of a volume. */
export interface FileProjection {
  data: Buffer;
  /** Permission bits. */
  mode: number;
  /** The owner's uid; root when not given. */
  user?: number | undefined;
}

/** The files of a volume by their path in it. */
export type Payload = ReadonlyMap<string, FileProjection>;

const maxNameLength = 255;
const maxPathLength = 4096;

/** The payload with its paths cleaned; throws Error with upstream's words for a path that could leave the volume. */
export const cleanPayload = (payload: Payload): Payload =>
  new Map([...payload].map(([path, file]) => [cleanPath(path), file]));

const cleanPath = (path: string): string => {
  const names = path.split('/');
  if (path === '') throw new Error(`invalid path: must not be empty: ${quote(path)}`);
  if (path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`);
  if (Buffer.byteLength(path) > maxPathLength) {
    throw new Error(`invalid path: must be less than or equal to ${maxPathLength} characters`);
  }
  if (names.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`);
  if (names.some((name) => Buffer.byteLength(name) > maxNameLength)) {
    throw new Error(`invalid path: filenames must be less than or equal to ${maxNameLength} characters`);
  }
  const clean = posix.normalize(path).replace(/\/$/, '');
  if (clean.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`);
  return clean;
};

/** The first name of each path, with one of the files that it leads to. */
export const topLevelNames = (payload: Payload): Map<string, FileProjection> =>
  new Map([...payload].map(([path, file]) => [path.split('/', 1)[0] ?? path, file]));
