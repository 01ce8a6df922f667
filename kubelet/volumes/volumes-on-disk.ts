import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../linux/system-error.ts';
import { podDirectory, unescapePluginName, volumesDirectory } from './paths.ts';

/** A volume of a Pod as its directory tells. */
export interface VolumeOnDisk {
  podUid: string;
  /** Such as `kubernetes.io/configmap`. */
  pluginName: string;
  volumeName: string;
}

/** The uids of the Pods that have a directory on this node. */
export const podsOnDisk = (rootDir: string): string[] => foldersIn(join(rootDir, 'pods'));

/** All that is left of the volumes of a Pod, whether mounted, whole or half made. */
export const volumesOnDisk = (rootDir: string, podUid: string): VolumeOnDisk[] => {
  const directory = volumesDirectory(podDirectory(rootDir, podUid));
  return foldersIn(directory).flatMap((folder) =>
    foldersIn(join(directory, folder)).map((volumeName) => ({
      podUid,
      pluginName: unescapePluginName(folder),
      volumeName,
    })),
  );
};

const foldersIn = (path: string): string[] => {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};
