import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { open } from 'lmdb';
import type { Database, RootDatabase } from 'lmdb';

/** lmdb's limit with pages of 4 KiB, on every machine (DEFAULT_MAX_KEY_SIZE in its open.js). */
export const KEY_LIMIT_BYTES = 1978;

/** Position in the log: the revision, and the change's place among those of its transaction. */
export type LogKey = [revision: number, index: number];

/**
 * The embedded engine's tables; codec.ts has the layout of the values.
 *
 *     keys      key                → its newest state
 *     changes   revision, index    → one change; all since the last compaction
 *     counters  revision | compactedRevision
 */
export interface Tables {
  root: RootDatabase;
  keys: Database<Buffer, Buffer>;
  changes: Database<Buffer, LogKey>;
  counters: Database<number, string>;
}

/** Opens or makes the tables in `dir`. Commits resolve after fsync, because overlapping sync is off. */
export function openTables(dir: string): Tables {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const root = open({
    path: dir,
    noSubdir: false,
    maxDbs: 4,
    overlappingSync: false,
    eventTurnBatching: false,
  });
  syncFolder(dir);
  return {
    root,
    keys: root.openDB<Buffer, Buffer>('keys', { keyEncoding: 'binary', encoding: 'binary' }),
    changes: root.openDB<Buffer, LogKey>('changes', { encoding: 'binary' }),
    counters: root.openDB<number, string>('counters', { encoding: 'msgpack' }),
  };
}

/** A file that was just made is there after a power cut only when its folder too has been synced (fsync(2)). */
function syncFolder(dir: string): void {
  const descriptor = openSync(dir, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** The newest revision, 1 in an empty store as in etcd. */
export function revisionIn({ counters }: Tables): number {
  return counters.get('revision') ?? 1;
}

/** The revision up to which the history is gone, 0 when all is there. */
export function compactedRevisionIn({ counters }: Tables): number {
  return counters.get('compactedRevision') ?? 0;
}
