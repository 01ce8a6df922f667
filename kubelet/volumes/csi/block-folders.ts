import { rm } from 'node:fs/promises';
import { rmdirSync } from 'node:fs';
import { hasCode } from '../../../linux/system-error.ts';
import { removeTree } from '../remove-tree.ts';
import { blockPaths } from './paths.ts';

/** Removes the folders of a block volume that no Pod has any more. Throws Error when something is still in them or mounted there. */
export const removeBlockFolders = async (rootDir: string, volumeName: string): Promise<void> => {
  const { staging, publishDirectory, directory } = blockPaths(rootDir, volumeName);
  for (const path of [publishDirectory, staging]) {
    try {
      rmdirSync(path);
    } catch (error) {
      // A driver may have made its staging path a file.
      if (hasCode(error, 'ENOTDIR')) await rm(path);
      else if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  await removeTree(directory);
};
