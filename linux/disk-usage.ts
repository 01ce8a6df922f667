import { lstat, readdir } from 'node:fs/promises';
import type { Stats } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from './system-error.ts';
import { pathInside, withinPathLimit } from './within-path-limit.ts';

export interface DiskUsage {
  /** What its blocks take, as du counts. */
  usedBytes: number;
  inodes: number;
}

/**
 * What is in a directory, itself included; other file systems below and second links to a file don't count. It may change meanwhile, and
 * be deeper than any path is long. Throws ENOENT when the directory itself is not there.
 */
export const diskUsageOf = async (directory: string): Promise<DiskUsage> => {
  const root = await lstat(directory);
  const usage: DiskUsage = { usedBytes: 0, inodes: 0 };
  const linked = new Set<number>();
  const add = async (path: Buffer, info: Stats): Promise<void> => {
    if (info.dev !== root.dev || (info.nlink > 1 && !info.isDirectory() && linked.has(info.ino))) return;
    linked.add(info.ino);
    usage.usedBytes += info.blocks * 512;
    usage.inodes += 1;
    if (!info.isDirectory()) return;
    const inside = withinPathLimit(path, async (short) => {
      for (const name of await ifThere(readdir(short, { encoding: 'buffer' }), [])) {
        const child = pathInside(short, name);
        const status = await ifThere(lstat(child), undefined);
        if (status !== undefined) await add(child, status);
      }
    });
    await ifThere(inside, undefined);
  };
  await add(Buffer.from(directory), root);
  return usage;
};

const nothing: DiskUsage = { usedBytes: 0, inodes: 0 };

/** The same of what may not be there: then it is nothing. */
export const diskUsageIfThere = (path: string): Promise<DiskUsage> => ifThere(diskUsageOf(path), nothing);

/** What the files take that are right in a directory, without those below its own directories; nothing when it is not there. */
export const diskUsageOfFilesIn = async (directory: string): Promise<DiskUsage> => {
  const entries = await ifThere(readdir(directory, { withFileTypes: true }), []);
  const files = entries.filter((entry) => !entry.isDirectory());
  return totalOf(await Promise.all(files.map(({ name }) => diskUsageIfThere(join(directory, name)))));
};

export const totalOf = (usages: DiskUsage[]): DiskUsage =>
  usages.reduce(
    (sum, { usedBytes, inodes }) => ({
      usedBytes: sum.usedBytes + usedBytes,
      inodes: sum.inodes + inodes,
    }),
    nothing,
  );

/** Files come and go while we count. */
const ifThere = async <T>(value: Promise<T>, otherwise: T): Promise<T> => {
  try {
    return await value;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return otherwise; // gone, or something else is there now
    throw error;
  }
};
