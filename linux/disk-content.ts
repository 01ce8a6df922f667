import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { blockDeviceBytes } from './block-device.ts';
import { CommandError, run } from './command.ts';

/** What is on a disk, by its own bytes. */
export type DiskContent =
  /** Nothing: the places where every known content has its mark are all zero, and so is the whole first and last MiB. */
  | { kind: 'empty' }
  /** A file system that was being made when the maker ended; it never was mounted. */
  | { kind: 'unfinished' }
  | {
      kind: 'file system';
      type: 'ext2' | 'ext3' | 'ext4' | 'xfs';
      /** As the file system believes it is. */
      sizeBytes: number;
      /** It has found errors in itself, or was not unmounted and has no journal that the next mount would replay. */
      unclean: boolean;
    }
  /** Something else, in words: `btrfs`, `LVM2_member`, `partition table gpt`, `unknown data`. */
  | { kind: 'other'; words: string };

const MiB = 1024 * 1024;

/**
 * Looks what a block device or file has on it. Stricter than blkid(8), which calls empty whatever it does not know:
 * such a disk is `other` here, and must not be formatted.
 */
export async function probeDisk(path: string): Promise<DiskContent> {
  await using disk = await open(path, 'r');
  const head = await readAt(disk, 0, MiB);
  const known = head.length < 4096 ? undefined : (readExt(head) ?? readXfs(head));
  if (known !== undefined) return known;
  if (head.subarray(0, formattingMark.length).equals(formattingMark)) return { kind: 'unfinished' };
  if (isZero(head) && isZero(await readTail(disk, path))) return { kind: 'empty' };
  return { kind: 'other', words: await nameOf(path) };
}

/** What stands at the start of a disk from before it is formatted until the file system is complete (make-filesystem.ts). */
export const formattingMark = Buffer.from('podwright: a file system is being made here\n');

async function readAt(disk: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await disk.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function readTail(disk: FileHandle, path: string): Promise<Buffer> {
  const stat = await disk.stat(); // where a device says 0 as its size
  const size = stat.isBlockDevice() ? blockDeviceBytes(path) : stat.size;
  return await readAt(disk, Math.max(0, size - MiB), Math.min(size, MiB));
}

const zeros = Buffer.alloc(MiB);

const isZero = (bytes: Buffer): boolean => bytes.equals(zeros.subarray(0, bytes.length));

/** Offsets in struct ext4_super_block, which begins at byte 1024 (kernel documentation, filesystems/ext4/globals). */
const ext = {
  blocks: 0x4,
  logBlockSize: 0x18,
  magic: 0x38,
  state: 0x3a,
  compat: 0x5c,
  incompat: 0x60,
  blocksHigh: 0x150,
};
const EXT_MAGIC = 0xef53;
const EXT_VALID = 1;
const EXT_ERRORS = 2;
const HAS_JOURNAL = 0x4;
const EXTENTS_64BIT_FLEX_BG = 0x40 | 0x80 | 0x200;

function readExt(head: Buffer): DiskContent | undefined {
  const block = head.subarray(1024, 2048);
  if (block.readUInt16LE(ext.magic) !== EXT_MAGIC) return undefined;
  const incompat = block.readUInt32LE(ext.incompat);
  const high = (incompat & 0x80) === 0 ? 0 : block.readUInt32LE(ext.blocksHigh);
  const blocks = block.readUInt32LE(ext.blocks) + high * 2 ** 32;
  const state = block.readUInt16LE(ext.state);
  const journal = (block.readUInt32LE(ext.compat) & HAS_JOURNAL) !== 0;
  return {
    kind: 'file system',
    type: (incompat & EXTENTS_64BIT_FLEX_BG) !== 0 ? 'ext4' : journal ? 'ext3' : 'ext2',
    sizeBytes: blocks * 2 ** (10 + block.readUInt32LE(ext.logBlockSize)),
    unclean: (state & EXT_VALID) === 0 || (state & EXT_ERRORS) !== 0,
  };
}

/** Offsets in struct xfs_dsb; the header of the first allocation group follows a sector later. */
const xfs = { blockSize: 4, blocks: 8, inProgress: 126 };

function readXfs(head: Buffer): DiskContent | undefined {
  if (head.toString('latin1', 0, 4) === 'XFSB') {
    if (head.readUInt8(xfs.inProgress) !== 0) return { kind: 'unfinished' };
    const sizeBytes = Number(head.readBigUInt64BE(xfs.blocks)) * head.readUInt32BE(xfs.blockSize);
    return { kind: 'file system', type: 'xfs', sizeBytes, unclean: false }; // its log is replayed by the mount
  }
  // mkfs.xfs was ended after the group's header and before the superblock.
  const group = [512, 1024].some((at) => ['XAGF', 'XAGI'].includes(head.toString('latin1', at, at + 4)));
  return group && isZero(head.subarray(0, 512)) ? { kind: 'unfinished' } : undefined;
}

/** By blkid(8); `unknown data` when it does not know either. */
async function nameOf(path: string): Promise<string> {
  try {
    const { stdout } = await run('blkid', ['-p', '-o', 'export', path], { timeoutMs: 30_000 });
    const value = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(stdout)?.[1];
    const table = value('PTTYPE');
    return value('TYPE') ?? (table === undefined ? 'unknown data' : `partition table ${table}`);
  } catch (error) {
    if (error instanceof CommandError) return 'unknown data'; // 2: nothing that it knows
    throw error;
  }
}
