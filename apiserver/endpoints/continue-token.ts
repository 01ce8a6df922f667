import { posix } from 'node:path';
import { badRequest } from '../http/errors.ts';

/** Where the next page begins: base64 of this JSON is the continue token, as upstream's (apiserver pkg/storage/continue.go). */
interface ContinueToken {
  v: 'meta.k8s.io/v1';
  /** The revision of the first page; -1: whatever is the newest, for a list that may be inconsistent. */
  rv: number;
  /** The first key wanted, without the prefix of the resource. */
  start: string;
}

/** The revision of a token whose own one is forgotten. */
export const NEWEST = -1;

/** Makes a token for the page from `key` on. */
export function encodeContinue(prefix: string, { key, revision }: { key: string; revision: number }): string {
  const token: ContinueToken = { v: 'meta.k8s.io/v1', rv: revision, start: key.slice(prefix.length) };
  return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/** Reads a token. Throws 400 for one that no server has made. */
export function decodeContinue(prefix: string, text: string): { key: string; revision: number } {
  const { v, rv, start } = parse(text);
  if (v !== 'meta.k8s.io/v1')
    throw invalidToken(`: server does not recognize this encoded version ${String(v)}`);
  if (!Number.isSafeInteger(rv) || rv === 0)
    throw invalidToken(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)');
  if (typeof start !== 'string' || start === '')
    throw invalidToken(': encoded start key empty (version meta.k8s.io/v1)');
  // A key with dots could lead out of the resource.
  const path = start.startsWith('/') ? start : `/${start}`;
  if (posix.normalize(path) !== path) throw invalidToken(`: ${start}`);
  return { key: prefix + path.slice(1), revision: rv as number };
}

function parse(text: string): Partial<Record<keyof ContinueToken, unknown>> {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown;
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // What isn't JSON is told below.
  }
  throw invalidToken(': illegal base64 data');
}

const invalidToken = (why: string) => badRequest(`invalid continue token: continue key is not valid${why}`);
