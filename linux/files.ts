import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { hasCode, SystemError } from './system-error.ts';

export interface WriteOptions {
  /** Permission bits of the new file, whatever the umask; 0o600 when not given. */
  mode?: number;
}

/**
 * Replaces a file so that a reader, or the next boot after a power cut, sees the old bytes or the new ones and nothing
 * between: temporary file in the same directory, fsync, rename, fsync of the directory.
 */
export async function writeFileDurably(
  path: string,
  data: string | Buffer,
  { mode = 0o600 }: WriteOptions = {},
): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.chmod(mode);
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw withPath(path, error);
  }
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Replaces a file as a whole, by rename, without waiting for the disk: for what need not survive a power cut. */
export function replaceFile(path: string, data: string | Buffer, { mode = 0o600 }: WriteOptions = {}): void {
  const temporary = temporaryBeside(path);
  try {
    const fd = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(fd, data); // all of it: a disk that is nearly full takes a part, and says no only to the rest
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw withPath(path, error);
  }
}

/** Node.js names no path where a call on an open file fails, such as the write for which a disk has no room. */
function withPath(path: string, error: unknown): unknown {
  const { syscall, errno, path: known } = error as NodeJS.ErrnoException;
  if (syscall === undefined || errno === undefined || known !== undefined) return error;
  return new SystemError({ operation: syscall, path }, -errno);
}

/** Makes what was created, renamed or removed in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The value in a JSON file, or undefined when there is no such file. A file that is not JSON throws, naming the path. */
export async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`${path}: not JSON`, { cause: error });
  }
}

/**
 * Removes what writers that were killed left in a directory, which nobody may be writing to now. A directory that is not there
 * has none.
 */
export function removeTemporaries(directory: string): void {
  try {
    for (const name of readdirSync(directory))
      if (/^\.[0-9a-f]{12}\.tmp$/.test(name)) rmSync(join(directory, name), { force: true });
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
}

const temporaryBeside = (path: string): string =>
  join(dirname(path), `.${randomBytes(6).toString('hex')}.tmp`);
