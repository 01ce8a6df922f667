import { getSystemErrorMap } from 'node:util';
import { errno } from './libc.ts';

/** What a failed system call was about. */
export interface Attempt {
  /** The operation in words or by its system call, such as `mount tmpfs`. */
  operation: string;
  /** The path, or whatever else names the object. */
  path?: string;
}

/** A failed system call: operation, path, errno and its name, such as `mount /x: no such file or directory (ENOENT)`. */
export class SystemError extends Error {
  readonly operation: string;
  readonly path: string;
  readonly errno: number;
  /** The errno's name, such as `ENOENT`: the same field as Node.js's own errors have. */
  readonly code: string;

  constructor({ operation, path = '' }: Attempt, number: number) {
    const [code, words] = getSystemErrorMap().get(-number) ?? [`E${number}`, 'unknown error'];
    super(`${operation}${path === '' ? '' : ` ${path}`}: ${words} (${code})`);
    this.name = 'SystemError';
    this.operation = operation;
    this.path = path;
    this.errno = number;
    this.code = code;
  }
}

/** Returns the result of a system call, or throws SystemError when it is negative. */
export function check(result: number, attempt: Attempt): number {
  if (result < 0) throw new SystemError(attempt, errno());
  return result;
}

/** True when `error` carries one of these errno names (`hasCode(error, 'ENOENT', 'ESRCH')`). */
export function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}
