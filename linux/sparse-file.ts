import { closeSync, constants, copyFileSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import koffi from 'koffi';
import { check, hasCode } from './system-error.ts';

/** Makes a file of a size with nothing in it: it takes no space until it is written (ftruncate(2)). Fails when it exists. */
export function createSparseFile(path: string, sizeBytes: number, { mode = 0o600 } = {}): void {
  const fd = openSync(path, 'wx', mode);
  try {
    ftruncateSync(fd, sizeBytes);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes `target` a copy that shares its blocks with `source` until either is written (ioctl_ficlone(2)): a matter of
 * milliseconds whatever the size. Fails with EOPNOTSUPP, EXDEV or EINVAL where the file system cannot.
 */
export async function cloneFile(source: string, target: string): Promise<void> {
  await copyFile(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
}

/** Whether files of this directory can share blocks, found out by trying. */
export function canClone(directory: string): boolean {
  const [source, target] = ['source', 'target'].map((name) =>
    join(directory, `.clone-probe-${process.pid}-${name}`),
  );
  if (source === undefined || target === undefined) return false;
  try {
    writeFileSync(source, 'x'.repeat(4096));
    copyFileSync(source, target, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch (error) {
    if (hasCode(error, 'EOPNOTSUPP', 'ENOTSUP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY')) return false;
    throw error;
  } finally {
    rmSync(source, { force: true });
    rmSync(target, { force: true });
  }
}

export interface CopySparseOptions {
  /** Told now and then how much of the data has been copied. */
  onProgress?: (copiedBytes: number, dataBytes: number) => void;
  signal?: AbortSignal;
}

const chunkBytes = 4 * 1024 * 1024;

/**
 * Copies a file without its holes (lseek(2), SEEK_DATA), to a target that must not exist, and waits until it is on the
 * disk. A target that could not be completed is removed.
 */
export async function copySparse(
  source: string,
  target: string,
  options: CopySparseOptions = {},
): Promise<void> {
  await using from = await open(source, 'r');
  const { size } = await from.stat();
  const extents = dataExtents(from.fd, size, source);
  const total = extents.reduce((sum, { length }) => sum + length, 0);
  await using to = await open(target, 'wx', 0o600);
  try {
    await to.truncate(size);
    let copied = 0;
    for (const extent of extents) {
      for await (const bytes of copyExtent(from, to, extent)) {
        options.signal?.throwIfAborted();
        options.onProgress?.((copied += bytes), total);
      }
    }
    await to.sync();
  } catch (error) {
    rmSync(target, { force: true });
    throw error;
  }
}

export interface Extent {
  offset: number;
  length: number;
}

async function* copyExtent(
  from: FileHandle,
  to: FileHandle,
  { offset, length }: Extent,
): AsyncGenerator<number> {
  const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, length));
  for (let done = 0; done < length;) {
    const { bytesRead } = await from.read(chunk, 0, Math.min(chunk.length, length - done), offset + done);
    if (bytesRead === 0) return; // became shorter meanwhile
    await writeFully(to, chunk.subarray(0, bytesRead), offset + done);
    done += bytesRead;
    yield bytesRead;
  }
}

async function writeFully(to: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;)
    done += (await to.write(bytes, done, bytes.length - done, position + done)).bytesWritten;
}

const lseek = koffi.load(null).func('int64_t lseek(int fd, int64_t offset, int whence)') as (
  fd: number,
  offset: number,
  whence: number,
) => number;

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/**
 * Where a file has data (lseek(2), SEEK_DATA). A file system that does not know answers that all of it is. Throws
 * SystemError.
 */
export function dataExtents(fd: number, size: number, path: string): Extent[] {
  const extents: Extent[] = [];
  for (let end = 0; end < size;) {
    const offset = seek(fd, end, SEEK_DATA, path);
    if (offset === undefined) break;
    end = seek(fd, offset, SEEK_HOLE, path) ?? size;
    extents.push({ offset, length: end - offset });
  }
  return extents;
}

/** Undefined at the end: no data any more. */
function seek(fd: number, offset: number, whence: number, path: string): number | undefined {
  try {
    return check(Number(lseek(fd, offset, whence)), { operation: 'seek data of', path });
  } catch (error) {
    if (hasCode(error, 'ENXIO')) return undefined;
    throw error;
  }
}
