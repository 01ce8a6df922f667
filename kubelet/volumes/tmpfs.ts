import { fileSystemTypes } from '../../linux/filesystem.ts';
import { isMountPoint, unmountBelow } from '../../linux/mount-info.ts';
import { mount } from '../../linux/mount.ts';
import { hasCode } from '../../linux/system-error.ts';
import { statfsSync } from 'node:fs';

export interface TmpfsOptions {
  directory: string;
  /** 0: half of the machine's memory, the kernel's default. */
  sizeBytes: number;
}

let noswapSupported = true;

/** Mounts a tmpfs that is never swapped out where the kernel can promise that (Linux 6.4). Throws SystemError. */
export const mountTmpfs = ({ directory, sizeBytes }: TmpfsOptions): void => {
  const size = sizeBytes > 0 ? [`size=${sizeBytes}`] : [];
  const mountWith = (options: string[]) =>
    mount({ source: 'tmpfs', target: directory, type: 'tmpfs', data: options.join(',') });
  if (!noswapSupported) return mountWith(size);
  try {
    mountWith([...size, 'noswap']);
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error;
    noswapSupported = false;
    mountWith(size);
  }
};

/** True when the directory is the root of a mounted tmpfs. */
export const isTmpfs = (directory: string): boolean =>
  isMountPoint(directory) && statfsSync(directory).type === fileSystemTypes.tmpfs;

/** Unmounts whatever is mounted on the directory and below it, deepest first; nothing there is no error. */
export const unmountVolume = (directory: string): void => unmountBelow(directory);
