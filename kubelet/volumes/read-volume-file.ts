import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { quote } from '../../api/go-format.ts';
import { openInside } from '../../linux/filesystem.ts';
import type { MountedVolume } from './container-mounts.ts';

export interface VolumeFile {
  volume: MountedVolume | undefined;
  volumeName: string;
  /** Relative to the volume. */
  path: string;
}

/** The text of a file in a volume; a link that leads out of it is resolved as if the volume were the root. Rejects with Error. */
export const readVolumeFile = async ({ volume, volumeName, path }: VolumeFile): Promise<string> => {
  if (volume === undefined || volume.hostPath === '') {
    throw new Error(`cannot find the volume ${quote(volumeName)} referenced by FileKeyRef`);
  }
  // Looked at before it is opened: a container may have put a FIFO there, or a device such as /dev/zero, which has no end.
  using file = openInside(volume.hostPath, path);
  if (!statSync(file.path).isFile()) throw new Error(`${path} is not a regular file`);
  return await readFile(file.path, 'utf8');
};
