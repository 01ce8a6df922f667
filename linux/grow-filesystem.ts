import { closeSync, openSync, statfsSync } from 'node:fs';
import { blockDeviceBytes } from './block-device.ts';
import { CommandError, run } from './command.ts';
import { probeDisk } from './disk-content.ts';
import type { DiskContent } from './disk-content.ts';
import { ioctl } from './ioctl.ts';
import { mountAt } from './mount-info.ts';

const EXT4_IOC_RESIZE_FS = 0x40086610;
const XFS_IOC_FSGEOMETRY = 0x8100587e;
const XFS_IOC_FSGROWFSDATA = 0x4010586e;

/**
 * Lets a mounted ext4 or xfs file system have all of its device, while it is used: the system calls that resize2fs(8)
 * and xfs_growfs(8) make. One that has it already is no error. Throws SystemError (EROFS: it is mounted read-only;
 * EPERM: ext4 takes CAP_SYS_RESOURCE for it), or Error for a kind that cannot grow.
 */
export async function growFileSystem(mountPoint: string, device: string): Promise<void> {
  const mount = mountAt(mountPoint);
  const deviceBytes = blockDeviceBytes(device);
  if (mount === undefined) throw new Error(`grow ${mountPoint}: nothing is mounted there`);
  if (/^ext[234]$/.test(mount.type)) {
    if (canGrow(await probeDisk(device), deviceBytes)) growExt(mountPoint, deviceBytes);
  } else if (mount.type === 'xfs') growXfs(mountPoint, deviceBytes);
  else
    throw new Error(
      `grow ${mountPoint}: a file system of type ${mount.type} cannot be grown here (ext2, ext3, ext4 and xfs can)`,
    );
}

/** An ext file system leaves what is too little for another group of blocks, with its tables, unused. */
const leftOverBytes = 8 * 1024 * 1024;

const canGrow = (content: DiskContent, deviceBytes: number): boolean =>
  content.kind === 'file system' &&
  content.type.startsWith('ext') &&
  deviceBytes - content.sizeBytes >= leftOverBytes;

/**
 * Lets an ext file system that is not mounted have all of its device (resize2fs(8), which asks for a check before).
 * True when it has grown. Throws CommandError. What xfs has, it can have only when it is mounted: nothing is done then.
 */
export async function growUnmounted(device: string): Promise<boolean> {
  if (!canGrow(await probeDisk(device), blockDeviceBytes(device))) return false;
  await checkExt(device, { force: true });
  await run('resize2fs', [device], { timeoutMs: limitMs });
  return true;
}

const limitMs = 10 * 60_000;

/**
 * Checks an ext file system that is not mounted, and mends what can be mended without asking. Throws CommandError when
 * something is left (e2fsck(8)).
 */
export async function checkExt(device: string, { force = false } = {}): Promise<void> {
  try {
    await run('e2fsck', ['-p', ...(force ? ['-f'] : []), device], { timeoutMs: limitMs });
  } catch (error) {
    if (error instanceof CommandError && (error.exitCode === 1 || error.exitCode === 2)) return; // mended
    throw error;
  }
}

function growExt(mountPoint: string, deviceBytes: number): void {
  const blocks = Buffer.alloc(8);
  blocks.writeBigUInt64LE(BigInt(Math.floor(deviceBytes / statfsSync(mountPoint).bsize)));
  onDirectory(mountPoint, (fd) =>
    ioctl(fd, EXT4_IOC_RESIZE_FS, blocks, { operation: 'grow', path: mountPoint }),
  );
}

function growXfs(mountPoint: string, deviceBytes: number): void {
  onDirectory(mountPoint, (fd) => {
    const attempt = { operation: 'grow', path: mountPoint };
    const geometry = Buffer.alloc(256); // struct xfs_fsop_geom: blocksize at 0, imaxpct at 28, datablocks at 32
    ioctl(fd, XFS_IOC_FSGEOMETRY, geometry, attempt);
    const blocks = BigInt(Math.floor(deviceBytes / geometry.readUInt32LE(0)));
    if (blocks <= geometry.readBigUInt64LE(32)) return;
    const growth = Buffer.alloc(16); // struct xfs_growfs_data: newblocks, imaxpct
    growth.writeBigUInt64LE(blocks, 0);
    growth.writeUInt32LE(geometry.readUInt32LE(28), 8);
    ioctl(fd, XFS_IOC_FSGROWFSDATA, growth, attempt);
  });
}

function onDirectory(path: string, use: (fd: number) => unknown): void {
  const fd = openSync(path, 'r');
  try {
    use(fd);
  } finally {
    closeSync(fd);
  }
}
