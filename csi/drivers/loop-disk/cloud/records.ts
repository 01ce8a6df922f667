import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { removeTemporaries, syncDirectory, writeFileDurably } from '../../../../linux/files.ts';

/**
 * The things of one kind, one JSON file each. What is read is what is on the disk: `put` and `remove` change the file
 * first, durably, and then the memory.
 */
export interface Records<Record> {
  get(key: string): Record | undefined;
  all(): Record[];
  put(key: string, record: Record): Promise<Record>;
  remove(key: string): void;
}

/**
 * Opens a directory of records, and removes what an interrupted write left. A file that is not understood throws,
 * naming the path.
 */
export function openRecords<Record>(directory: string): Records<Record> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  removeTemporaries(directory);
  const records = new Map<string, Record>();
  for (const file of readdirSync(directory)) {
    const key = /^(.*)\.json$/.exec(file)?.[1];
    if (key !== undefined) records.set(key, parse<Record>(join(directory, file)));
  }
  const pathOf = (key: string) => join(directory, `${key}.json`);
  return {
    get: (key) => records.get(key),
    all: () => [...records.values()],
    async put(key, record) {
      await writeFileDurably(pathOf(key), `${JSON.stringify(record, null, 2)}\n`);
      records.set(key, record);
      return record;
    },
    remove(key) {
      rmSync(pathOf(key), { force: true });
      syncDirectory(directory);
      records.delete(key);
    },
  };
}

function parse<Record>(path: string): Record {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record;
  } catch (error) {
    throw new Error(`${path}: not JSON`, { cause: error });
  }
}
