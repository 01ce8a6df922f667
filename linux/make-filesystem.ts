import { closeSync, ftruncateSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { blockDeviceBytes, zeroBlockDevice } from './block-device.ts';
import { run } from './command.ts';
import { formattingMark } from './disk-content.ts';
import { failpoint } from './failpoint.ts';
import { libc } from './libc.ts';
import { dataExtents } from './sparse-file.ts';
import { check } from './system-error.ts';

export type FileSystemType = 'ext2' | 'ext3' | 'ext4' | 'xfs';

export const fileSystemsToMake: readonly FileSystemType[] = ['ext2', 'ext3', 'ext4', 'xfs'];

/** mkfs.xfs refuses less. */
export const smallestXfsBytes = 300 * 1024 * 1024;

const limitMs = 10 * 60_000;

/**
 * Makes a file system on a block device, whose content is gone then: the caller has looked (probeDisk). Throws
 * CommandError (the mkfs program), SystemError.
 *
 * At any moment of it the disk shows, to probeDisk, as empty, unfinished or complete:
 *   ext  mkfs writes into memory; the disk gets a mark at its start, then all but the first block, then, on the disk, the first block
 *   xfs  mkfs itself keeps a flag in the superblock until all the rest is written
 */
export async function makeFileSystem(device: string, type: FileSystemType): Promise<void> {
  if (type === 'xfs') await run('mkfs.xfs', ['-q', '-f', '-K', device], { timeoutMs: limitMs });
  else await makeExt(device, type);
}

/**
 * What ext4 can do later, while it is mounted: zeroing inode tables and journal. Nothing is reserved for root. No
 * discard: the disk is zeroed by us.
 */
const extOptions = ['-q', '-F', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard'];

async function makeExt(device: string, type: FileSystemType): Promise<void> {
  const size = blockDeviceBytes(device);
  const memory = check(libc.memfdCreate(`mkfs.${type}`, 0), { operation: 'memfd_create' });
  try {
    ftruncateSync(memory, size);
    const path = `/proc/${process.pid}/fd/${memory}`;
    await run(`mkfs.${type}`, [...extOptions, path], { timeoutMs: limitMs });
    await using source = await open(path, 'r');
    // Exclusive: nobody may mount or format it meanwhile.
    await using target = await openExclusive(device);
    await target.write(formattingMark, 0, formattingMark.length, 0);
    await target.sync();
    await failpoint('linux.mkfs.after-mark');
    await zeroBlockDevice(target.fd, { offset: firstBlock, length: size - firstBlock, path: device });
    await copyData(source, target, { from: firstBlock, size, path });
    await target.sync();
    await failpoint('linux.mkfs.before-superblock');
    const { buffer, bytesRead } = await source.read(Buffer.alloc(firstBlock), 0, firstBlock, 0);
    await target.write(buffer, 0, bytesRead, 0);
    await target.sync();
  } finally {
    closeSync(memory);
  }
}

/** The superblock is at byte 1024, whatever the block size; a write of a page of the device is one to the disk. */
const firstBlock = 4096;

const O_RDWR_EXCL = 0o2 | 0o200;

const openExclusive = async (device: string): Promise<FileHandle> => await open(device, O_RDWR_EXCL);

interface CopyRange {
  from: number;
  size: number;
  path: string;
}

async function copyData(
  source: FileHandle,
  target: FileHandle,
  { from, size, path }: CopyRange,
): Promise<void> {
  for (const extent of dataExtents(source.fd, size, path)) {
    for (let at = Math.max(from, extent.offset); at < extent.offset + extent.length;) {
      const length = Math.min(1024 * 1024, extent.offset + extent.length - at);
      const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(length), 0, length, at);
      if (bytesRead === 0) return;
      for (let done = 0; done < bytesRead;)
        done += (await target.write(buffer, done, bytesRead - done, at + done)).bytesWritten;
      at += bytesRead;
    }
  }
}
