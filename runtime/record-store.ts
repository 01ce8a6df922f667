import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { replaceFile, writeFileDurably } from '../linux/files.ts';

/** What every record has. */
export interface Identified {
  id: string;
}

/**
 * Records of one kind, each a versioned JSON file in a directory of its own: `<dir>/<id>/record.json`. What is on disk is
 * always at least as new as what is in memory.
 *
 *     create() ──► on disk (fsync, rename) ──► in memory ──► update()* ──► remove(): memory, then the directory
 */
export interface RecordStore<Item extends Identified> {
  /** By id, or by the first characters of one when only one begins so (as `crictl` users write them). */
  find(id: string): Item | undefined;
  list(): Item[];
  directoryOf(id: string): string;
  create(item: Item): Promise<void>;
  /**
   * Replaces fields. `durable: false` survives the daemon but not a power cut: for what a power cut makes untrue anyway.
   * Nothing happens when the record is gone.
   */
  update(id: string, change: Partial<Item>, options?: { durable?: boolean }): Promise<Item | undefined>;
  /** Forgets the record and removes its directory. Idempotent. */
  remove(id: string): Promise<void>;
}

interface StoredFile<Item> {
  version: number;
  record: Item;
}

export interface RecordStoreOptions {
  dir: string;
  version: number;
  /** Called for a directory that has no record that can be read: what was being created when the power went. */
  onUnreadable?: (directory: string, error: unknown) => void;
}

/** Opens the store and reads what is there. */
export function openRecordStore<Item extends Identified>(options: RecordStoreOptions): RecordStore<Item> {
  const { dir, version } = options;
  mkdirSync(dir, { recursive: true, mode: 0o711 });
  const records = loadRecords<Item>(options);
  const directoryOf = (id: string): string => join(dir, id);
  const turns = new Map<string, Promise<unknown>>();
  const fileOf = (id: string): string => join(directoryOf(id), 'record.json');
  const text = (record: Item): string => JSON.stringify({ version, record } satisfies StoredFile<Item>);

  return {
    find: (id) => records.get(id) ?? findByPrefix(records, id),
    list: () => [...records.values()],
    directoryOf,
    async create(record) {
      mkdirSync(directoryOf(record.id), { recursive: true, mode: 0o711 });
      await writeFileDurably(fileOf(record.id), text(record));
      records.set(record.id, record);
    },
    update: (id, change, { durable = true } = {}) =>
      inTurn(turns, id, async () => {
        const before = records.get(id);
        if (before === undefined) return undefined;
        const after = { ...before, ...change };
        if (durable) await writeFileDurably(fileOf(id), text(after));
        else replaceFile(fileOf(id), text(after));
        if (records.has(id)) records.set(id, after);
        return after;
      }),
    remove: (id) =>
      inTurn(turns, id, async () => {
        records.delete(id);
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

function findByPrefix<Item>(records: Map<string, Item>, prefix: string): Item | undefined {
  if (prefix === '') return undefined;
  const matching = [...records.keys()].filter((id) => id.startsWith(prefix));
  const [only] = matching;
  return matching.length === 1 && only !== undefined ? records.get(only) : undefined;
}

function loadRecords<Item extends Identified>({
  dir,
  version,
  onUnreadable,
}: RecordStoreOptions): Map<string, Item> {
  const records = new Map<string, Item>();
  for (const id of readdirSync(dir)) {
    try {
      const file = JSON.parse(readFileSync(join(dir, id, 'record.json'), 'utf8')) as StoredFile<Item>;
      if (file.version !== version) throw new Error(`version ${file.version} is not understood`);
      records.set(id, file.record);
    } catch (error) {
      onUnreadable?.(join(dir, id), error);
    }
  }
  return records;
}
