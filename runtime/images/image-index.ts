import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile } from '../../linux/file-lock.ts';
import { removeTemporaries, writeFileDurably } from '../../linux/files.ts';
import { hasCode } from '../../linux/system-error.ts';
import type { ImageRecord } from './image.ts';

/** The list of a store's images, in one file that several processes read and change. */
export interface ImageIndex {
  /** What is there now; cheap when nothing has changed. */
  read(): ImageRecord[];
  /** Changes the list under a lock, on disk before it returns. `change` gets the newest list and returns the new one. */
  update(change: (images: ImageRecord[]) => ImageRecord[]): Promise<void>;
  /** Does something under the same lock that depends on what is listed. */
  locked<Result>(work: (images: ImageRecord[]) => Result): Promise<Result>;
}

const version = 1;

/** Opens `<dir>/index.json`. */
export function openImageIndex(dir: string): ImageIndex {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, 'index.json');
  let cached: { stamp: string; images: ImageRecord[] } = { stamp: 'none', images: [] };

  const read = (): ImageRecord[] => {
    const stamp = stampOf(path);
    if (stamp !== cached.stamp) cached = { stamp, images: stamp === 'none' ? [] : parse(path) };
    return cached.images;
  };
  return {
    read,
    async update(change) {
      using _lock = await lockFile(join(dir, 'lock'));
      removeTemporaries(dir);
      const images = change(structuredClone(read()));
      await writeFileDurably(path, `${JSON.stringify({ version, images }, null, 1)}\n`);
    },
    async locked(work) {
      using _lock = await lockFile(join(dir, 'lock'));
      return work(read());
    },
  };
}

// A change always makes a new file, so the inode and the time tell it.
function stampOf(path: string): string {
  try {
    const { ino, mtimeNs, size } = statSync(path, { bigint: true });
    return `${ino}.${mtimeNs}.${size}`;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 'none';
    throw error;
  }
}

function parse(path: string): ImageRecord[] {
  const file = JSON.parse(readFileSync(path, 'utf8')) as { version: number; images: ImageRecord[] };
  if (file.version !== version) throw new Error(`${path}: version ${file.version} is not understood`);
  return file.images;
}
