import { constants, readFileSync } from 'node:fs';
import { quote } from '../../api/go-format.ts';
import { openInside } from '../../linux/filesystem.ts';
import type { MountedVolume } from './container-mounts.ts';

export interface VolumeFile {
  volume: MountedVolume | undefined;
  volumeName: string;
  /** Relative to the volume. */
  path: string;
}

/** The text of a file in a volume; a link that leads out of it is resolved as if the volume were the root. Throws Error. */
export const readVolumeFile = ({ volume, volumeName, path }: VolumeFile): string => {
  if (volume === undefined || volume.hostPath === '') {
    throw new Error(`cannot find the volume ${quote(volumeName)} referenced by FileKeyRef`);
  }
  // Not blocking: a container may have put a FIFO there.
  using file = openInside(volume.hostPath, path, { flags: constants.O_RDONLY | constants.O_NONBLOCK });
  return readFileSync(file.fd, 'utf8');
};
