import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupResources } from '../resources.ts';

/** A cgroup in one hierarchy. */
export interface CgroupDirectory {
  version: 1 | 2;
  path: string;
  /** Says once what could not be done; the cgroup goes on without it. */
  warn: (message: string) => void;
}

/** One controller: how resources become its files, in either version. */
export interface Controller {
  name: string;
  /** What a new cgroup needs before it can be used. */
  prepare?(directory: CgroupDirectory): void;
  /** Writes what is given in `resources`. Throws what the kernel says, with the file and the value. */
  apply(directory: CgroupDirectory, resources: CgroupResources): void;
}

/** A value that the kernel refused: file, value and errno. */
export class CgroupWriteError extends Error {
  readonly code: string;
  constructor(file: string, value: string, cause: unknown) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    super(`write "${value}" to ${file}: ${code}`, { cause });
    this.name = 'CgroupWriteError';
    this.code = code;
  }
}

/** Writes a value into a file of a cgroup. Throws CgroupWriteError. */
export function writeValue({ path }: CgroupDirectory, file: string, value: string | number): void {
  try {
    writeFileSync(join(path, file), String(value));
  } catch (error) {
    throw new CgroupWriteError(join(path, file), String(value), error);
  }
}

/** Reads a file of a cgroup, without its final newline. Throws ENOENT. */
export function readValue({ path }: Pick<CgroupDirectory, 'path'>, file: string): string {
  return readFileSync(join(path, file), 'utf8').trim();
}

/** The number after a name in a file of `name number` lines (memory.stat, cpu.stat); 0 when it is not there. */
export function keyedNumber(text: string, key: string): number {
  for (const line of text.split('\n'))
    if (line.startsWith(`${key} `)) return Number(line.slice(key.length + 1));
  return 0;
}

/** Zero or less is no limit. */
export const orNoLimit = (value: number, none: string): string =>
  value > 0 ? String(Math.floor(value)) : none;
