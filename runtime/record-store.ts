import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, writeFileDurably } from '../linux/files.ts';
import { hasCode } from '../linux/system-error.ts';

/** What every record has. */
export interface Identified {
  id: string;
}

/**
 * Records of one kind. A record is kept twice, as versioned JSON:
 *
 *     <dir>/<id>/record.json        on the disk: what a power cut must not take, above all how a container ended
 *     <volatileDir>/<id>.json       on a tmpfs: what only a living machine makes true (processes, addresses)
 *
 * Each write holds the whole record and a sequence number; the higher one counts. What is in a file is always at least as new
 * as what is in memory, so a daemon killed at any moment finds everything again. Writing over a file on a disk costs some
 * milliseconds even without fsync (ext4 flushes on rename), on a tmpfs some microseconds; hence two places.
 */
export interface RecordStore<Item extends Identified> {
  /** By id, or by the first characters of one when only one begins so (as `crictl` users write them). */
  find(id: string): Item | undefined;
  list(): Item[];
  directoryOf(id: string): string;
  /** Not waited for by the disk: after a power cut nothing of a new record's sandbox or container runs either. */
  create(item: Item): Promise<void>;
  /** Replaces fields; on the disk before it returns unless `durable: false`. Nothing happens when the record is gone. */
  update(id: string, change: Partial<Item>, options?: { durable?: boolean }): Promise<Item | undefined>;
  /** Forgets the record and removes its directory. Idempotent. */
  remove(id: string): Promise<void>;
}

interface StoredFile<Item> {
  version: number;
  sequence: number;
  record: Item;
}

export interface RecordStoreOptions {
  dir: string;
  volatileDir: string;
  version: number;
  /** Called for a directory without a record that can be read: what was being created when the power went. */
  onUnreadable?: (directory: string, error: unknown) => void;
}

/** Opens the store and reads what is there. */
export function openRecordStore<Item extends Identified>(options: RecordStoreOptions): RecordStore<Item> {
  const { dir, volatileDir, version } = options;
  for (const path of [dir, volatileDir]) mkdirSync(path, { recursive: true, mode: 0o711 });
  const stored = loadRecords<Item>(options);
  const turns = new Map<string, Promise<unknown>>();
  const directoryOf = (id: string): string => join(dir, id);
  const fileOf = (id: string): string => join(directoryOf(id), 'record.json');
  const volatileFileOf = (id: string): string => join(volatileDir, `${id}.json`);

  return {
    find: (id) => (stored.get(id) ?? findByPrefix(stored, id))?.record,
    list: () => [...stored.values()].map(({ record }) => record),
    directoryOf,
    create(record) {
      mkdirSync(directoryOf(record.id), { recursive: true, mode: 0o711 });
      const file = { version, sequence: 1, record };
      replaceFile(fileOf(record.id), JSON.stringify(file));
      stored.set(record.id, file);
      return Promise.resolve();
    },
    update: (id, change, { durable = true } = {}) =>
      inTurn(turns, id, async () => {
        const before = stored.get(id);
        if (before === undefined) return undefined;
        const after = { version, sequence: before.sequence + 1, record: { ...before.record, ...change } };
        if (durable) await writeFileDurably(fileOf(id), JSON.stringify(after));
        else replaceFile(volatileFileOf(id), JSON.stringify(after));
        if (stored.has(id)) stored.set(id, after);
        return after.record;
      }),
    remove: (id) =>
      inTurn(turns, id, async () => {
        stored.delete(id);
        rmSync(volatileFileOf(id), { force: true });
        await rm(directoryOf(id), { recursive: true, force: true });
      }),
  };
}

/** Runs `action` after the ones that were given before for the same record. */
function inTurn<Result>(
  turns: Map<string, Promise<unknown>>,
  id: string,
  action: () => Promise<Result>,
): Promise<Result> {
  const turn = (turns.get(id) ?? Promise.resolve()).then(action, action);
  turns.set(id, turn);
  const forget = (): void => {
    if (turns.get(id) === turn) turns.delete(id);
  };
  turn.then(forget, forget);
  return turn;
}

function findByPrefix<Item>(stored: Map<string, Item>, prefix: string): Item | undefined {
  if (prefix === '') return undefined;
  const [only, ...others] = [...stored.keys()].filter((id) => id.startsWith(prefix));
  return only !== undefined && others.length === 0 ? stored.get(only) : undefined;
}

function loadRecords<Item extends Identified>(options: RecordStoreOptions): Map<string, StoredFile<Item>> {
  const { dir, volatileDir, version, onUnreadable } = options;
  const stored = new Map<string, StoredFile<Item>>();
  for (const id of readdirSync(dir)) {
    try {
      const onDisk = readStored<Item>(join(dir, id, 'record.json'), version);
      const onTmpfs = readNewer<Item>(join(volatileDir, `${id}.json`), version);
      stored.set(id, onTmpfs !== undefined && onTmpfs.sequence > onDisk.sequence ? onTmpfs : onDisk);
    } catch (error) {
      onUnreadable?.(join(dir, id), error);
    }
  }
  return stored;
}

function readStored<Item>(path: string, version: number): StoredFile<Item> {
  const file = JSON.parse(readFileSync(path, 'utf8')) as StoredFile<Item>;
  if (file.version !== version) throw new Error(`${path}: version ${file.version} is not understood`);
  return file;
}

function readNewer<Item>(path: string, version: number): StoredFile<Item> | undefined {
  try {
    return readStored(path, version);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
