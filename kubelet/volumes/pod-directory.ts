import { readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountsBelow } from '../../linux/mount-info.ts';
import { hasCode } from '../../linux/system-error.ts';
import { cleanSubPaths } from './clean-sub-paths.ts';
import { volumesDirectory } from './paths.ts';
import { removeTree } from './remove-tree.ts';

/**
 * Removes `pods/<uid>`, whose volumes are torn down. The folders of the volumes are only removed when empty: a file in one
 * would be data of a volume that wasn't unmounted. Throws Error when anything is mounted below, or isn't empty.
 * Idempotent. Upstream: kubelet_volumes.go cleanupOrphanedPodDirs.
 */
export const removePodDirectory = async (podDir: string): Promise<void> => {
  cleanSubPaths({ podDir });
  const mounted = mountsBelow(podDir)[0];
  if (mounted !== undefined) throw new Error(`not removing ${podDir}: ${mounted.mountPoint} is mounted`);
  removeEmptyDirectories(volumesDirectory(podDir));
  await removeTree(podDir);
};

const removeEmptyDirectories = (path: string): void => {
  try {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      if (entry.isDirectory()) removeEmptyDirectories(join(path, entry.name));
    }
    rmdirSync(path);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
};
