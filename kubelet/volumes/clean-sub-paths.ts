import { readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { unmountBelow } from '../../linux/mount-info.ts';
import { hasCode } from '../../linux/system-error.ts';
import { subPathsDirectory } from './paths.ts';

/**
 * Unmounts the sub paths of a volume of the Pod and removes their mount points; with no volume named, those of all. Only
 * empty files and directories are removed, so what a mount point has hidden can't be lost. Idempotent.
 */
export const cleanSubPaths = ({ podDir, volumeName }: { podDir: string; volumeName?: string }): void => {
  const all = subPathsDirectory(podDir);
  for (const volume of volumeName === undefined ? namesIn(all) : [volumeName]) {
    const volumeDir = join(all, volume);
    unmountBelow(volumeDir);
    for (const container of namesIn(volumeDir)) {
      const containerDir = join(volumeDir, container);
      for (const index of namesIn(containerDir)) removeMountPoint(join(containerDir, index));
      removeIfEmpty(containerDir);
    }
    removeIfEmpty(volumeDir);
  }
  removeIfEmpty(all);
};

const namesIn = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

const removeMountPoint = (path: string): void => {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOTDIR')) throw error;
    unlinkSync(path);
  }
};

const removeIfEmpty = (path: string): void => {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST')) throw error;
  }
};
