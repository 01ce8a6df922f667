import { chmodSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMountPoint } from '../../linux/mount-info.ts';

/**
 * Makes a volume's directory, open to every user of the container (upstream's emptyDir permissions). The folders above are
 * root's alone. One that is there already keeps the mode it has. True when it was made now.
 */
export const makeVolumeDirectory = (directory: string): boolean => {
  if (isMountPoint(directory)) return false;
  mkdirSync(dirname(directory), { recursive: true, mode: 0o750 });
  try {
    mkdirSync(directory);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  chmodSync(directory, 0o777);
  return true;
};
