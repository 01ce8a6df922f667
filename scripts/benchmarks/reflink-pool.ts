import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** A folder on an xfs of its own, where copies of a file share its blocks. Its disposal unmounts and removes it. */
export const makeReflinkPool = async (): Promise<AsyncDisposable & { dir: string }> => {
  const home = mkdtempSync(join(tmpdir(), 'podwright-bench-pool-'));
  const image = join(home, 'pool.img');
  const dir = join(home, 'pool');
  writeFileSync(image, '');
  truncateSync(image, 64 * 1024 ** 3);
  await execa('mkfs.xfs', ['-q', '-m', 'reflink=1', image]);
  await execa('mkdir', [dir]);
  await execa('mount', ['-o', 'loop', image, dir]);
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await execa('umount', [dir]);
      rmSync(home, { recursive: true });
    },
  };
};
