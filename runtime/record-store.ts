import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile, writeFileDurably } from '../linux/files.ts';
import { unmountBelow } from '../linux/mount-info.ts';
import { removeDirectory } from '../linux/remove-directory.ts';
import { hasCode } from '../linux/system-error.ts';

/** What every record has. */
export interface Identified {
  id: string;
}

/**
 * Records of one kind. A record is kept twice, as versioned JSON:
 *
 *     <volatileDir>/<id>/record.json   in memory (tmpfs): the newest, with everything
 *     <dir>/<id>/record.json           on the disk: what a reboot must not take, above all how a container ended
 *
 * Memory is written first, so that it always has the newest. It outlives the daemon but not the machine: a record that is on the
 * disk alone was made before a reboot, or before it was made as a whole, and nothing of it runs. Secrets stand in memory only (`forDisk`).
 * Writing over a file on a disk costs some milliseconds even without fsync (ext4 flushes on rename), in memory some microseconds.
 */
export interface RecordStore<Item extends Identified> {
  /** By id, or by the first characters of one when only one begins so (as `crictl` users write them). */
  find(id: string): Item | undefined;
  list(): Item[];
  /** On the disk. */
  directoryOf(id: string): string;
  /** In memory: gone after a reboot. */
  volatileDirectoryOf(id: string): string;
  /** The machine has been restarted since the record was made. */
  isFromBeforeReboot(id: string): boolean;
  /** Not waited for by the disk: after a power cut nothing of a new record's sandbox or container runs either. */
  create(item: Item): Promise<void>;
  /** Replaces fields; on the disk before it returns unless `durable: false`. Nothing happens when the record is gone. */
  update(id: string, change: Partial<Item>, options?: { durable?: boolean }): Promise<Item | undefined>;
  /** Forgets the record and removes its directory. Idempotent. */
  remove(id: string): Promise<void>;
}

interface StoredFile<Item> {
  version: number;
  record: Item;
}

export interface RecordStoreOptions<Item> {
  dir: string;
  /** On a tmpfs. */
  volatileDir: string;
  version: number;
  /** What of a record may stand on a disk. Default all. */
  forDisk?: (item: Item) => Item;
  /** Called for a directory without a record that can be read: what was being created when the power went. */
  onUnreadable?: (directory: string, error: unknown) => void;
}

/** Opens the store and reads what is there. */
export function openRecordStore<Item extends Identified>(
  options: RecordStoreOptions<Item>,
): RecordStore<Item> {
  const { dir, volatileDir, version, forDisk = (item) => item } = options;
  for (const path of [dir, volatileDir]) makePrivate(path);
  const stored = loadRecords<Item>(options);
  const turns = new Map<string, Promise<unknown>>();
  const directoryOf = (id: string): string => join(dir, id);
  const fileOf = (id: string): string => join(directoryOf(id), 'record.json');
  const volatileDirectoryOf = (id: string): string => join(volatileDir, id);
  const volatileFileOf = (id: string): string => join(volatileDirectoryOf(id), 'record.json');
  const text = (record: Item): string => JSON.stringify({ version, record });
  const textForDisk = (record: Item): string => text(forDisk(record));

  return {
    find: (id) => stored.get(id) ?? findByPrefix(stored, id),
    list: () => [...stored.values()],
    directoryOf,
    volatileDirectoryOf,
    isFromBeforeReboot: (id) => !existsSync(volatileFileOf(id)),
    create(record) {
      for (const path of [volatileDirectoryOf(record.id), directoryOf(record.id)])
        mkdirSync(path, { recursive: true, mode: 0o711 });
      replaceFile(volatileFileOf(record.id), text(record));
      replaceFile(fileOf(record.id), textForDisk(record));
      stored.set(record.id, record);
      return Promise.resolve();
    },
    update: (id, change, { durable = true } = {}) =>
      inTurn(turns, id, async () => {
        const before = stored.get(id);
        if (before === undefined) return undefined;
        const after = { ...before, ...change };
        mkdirSync(volatileDirectoryOf(id), { recursive: true, mode: 0o711 });
        replaceFile(volatileFileOf(id), text(after));
        stored.set(id, after); // it is what the next start finds, also where the disk is full
        if (durable) await writeFileDurably(fileOf(id), textForDisk(after));
        return after;
      }),
    remove: (id) =>
      inTurn(turns, id, async () => {
        stored.delete(id);
        rmSync(volatileDirectoryOf(id), { recursive: true, force: true });
        await removeDirectory(directoryOf(id));
      }),
  };
}

/**
 * Nobody but root comes through: what is below is a container's, with its programs that are root's by their mode bits, and its id is for
 * every user to see (CVE-2021-41103). Containers themselves have mounts and need no path.
 */
function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
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

function loadRecords<Item extends Identified>(options: RecordStoreOptions<Item>): Map<string, Item> {
  const { dir, volatileDir, version, onUnreadable } = options;
  const stored = new Map<string, Item>();
  for (const id of readdirSync(dir)) {
    try {
      const newest = readIfThere<Item>(join(volatileDir, id, 'record.json'), version);
      stored.set(id, newest ?? readRecord<Item>(join(dir, id, 'record.json'), version));
    } catch (error) {
      onUnreadable?.(join(dir, id), error);
    }
  }
  for (const id of readdirSync(volatileDir)) if (!stored.has(id)) removeVolatile(join(volatileDir, id));
  return stored;
}

// Its creation was cut short: nothing of it is on the disk yet.
function removeVolatile(directory: string): void {
  unmountBelow(directory, { lazy: true });
  rmSync(directory, { recursive: true, force: true });
}

function readRecord<Item>(path: string, version: number): Item {
  const file = JSON.parse(readFileSync(path, 'utf8')) as StoredFile<Item>;
  if (file.version !== version) throw new Error(`${path}: version ${file.version} is not understood`);
  return file.record;
}

function readIfThere<Item>(path: string, version: number): Item | undefined {
  try {
    return readRecord(path, version);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
