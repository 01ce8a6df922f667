import { createHash } from 'node:crypto';
import { join } from 'node:path';

// The layout is upstream's, so that `findmnt` and drivers that look for it find it (csi_attacher.go, csi_block.go).

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** `<rootDir>/plugins/kubernetes.io/csi`. */
export const csiDirectory = (rootDir: string): string => join(rootDir, 'plugins', 'kubernetes.io', 'csi');

/** `plugins/kubernetes.io/csi/<driver>/<hash of the handle>`: notes of a staged volume, and its globalmount. */
export const stagedDirectory = (rootDir: string, driver: string, handle: string): string =>
  join(csiDirectory(rootDir), driver, sha256(handle));

/** Where NodeStageVolume puts a file system, once for the node. */
export const globalMount = (rootDir: string, driver: string, handle: string): string =>
  join(stagedDirectory(rootDir, driver, handle), 'globalmount');

/** `pods/<uid>/volumes/kubernetes.io~csi/<volume>/mount`: the target of NodePublishVolume. */
export const publishTarget = (directory: string): string => join(directory, 'mount');

/** `plugins/kubernetes.io/csi/volumeDevices`: everything of block volumes. */
export const volumeDevices = (rootDir: string): string => join(csiDirectory(rootDir), 'volumeDevices');

export interface BlockPaths {
  /** For NodeStageVolume. */
  staging: string;
  /** `publish/<volume>`, with a file for each Pod in it. */
  publishDirectory: string;
  /** `<volume>`: notes and map. */
  directory: string;
  /** `<volume>/data`: holds vol_data.json. */
  data: string;
  /** `<volume>/dev`: the device once more for each Pod, by which one sees on the node who uses it. */
  map: string;
}

/** The folders of a block volume, by its PersistentVolume's name. */
export const blockPaths = (rootDir: string, volumeName: string): BlockPaths => {
  const all = volumeDevices(rootDir);
  return {
    staging: join(all, 'staging', volumeName),
    publishDirectory: join(all, 'publish', volumeName),
    directory: join(all, volumeName),
    data: join(all, volumeName, 'data'),
    map: join(all, volumeName, 'dev'),
  };
};

/** The handle of an inline volume, which lives as long as its Pod. */
export const inlineHandle = (podUid: string, volumeName: string): string =>
  `csi-${sha256(`${podUid}${volumeName}`)}`;
