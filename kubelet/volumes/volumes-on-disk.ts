import { readdirSync } from 'node:fs';
import type { Dirent } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../linux/system-error.ts';
import { podDirectory, unescapePluginName, volumeDevicesDirectory, volumesDirectory } from './paths.ts';
import type { VolumeMode } from './volume-spec.ts';

/** A volume of a Pod as its directory tells. */
export interface VolumeOnDisk {
  podUid: string;
  /** Such as `kubernetes.io/configmap`. */
  pluginName: string;
  volumeName: string;
  mode: VolumeMode;
}

/** The uids of the Pods that have a directory on this node. */
export const podsOnDisk = (rootDir: string): string[] => foldersIn(join(rootDir, 'pods'));

/** All that is left of the volumes of a Pod, whether mounted, whole or half made. */
export const volumesOnDisk = (rootDir: string, podUid: string): VolumeOnDisk[] => {
  const podDir = podDirectory(rootDir, podUid);
  const below = (directory: string, mode: VolumeMode, namesIn: (path: string) => string[]) =>
    foldersIn(directory).flatMap((folder) =>
      namesIn(join(directory, folder)).map((volumeName) => ({
        podUid,
        pluginName: unescapePluginName(folder),
        volumeName,
        mode,
      })),
    );
  return [
    ...below(volumesDirectory(podDir), 'Filesystem', foldersIn),
    ...below(volumeDevicesDirectory(podDir), 'Block', linksIn),
  ];
};

const foldersIn = (path: string): string[] => namesIn(path, (entry) => entry.isDirectory());
const linksIn = (path: string): string[] => namesIn(path, (entry) => entry.isSymbolicLink());

const namesIn = (path: string, isWanted: (entry: Dirent) => boolean): string[] => {
  try {
    return readdirSync(path, { withFileTypes: true })
      .filter(isWanted)
      .map(({ name }) => name);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};
