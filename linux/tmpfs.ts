import { mkdirSync } from 'node:fs';
import { isMountPoint } from './mount-info.ts';
import { mount } from './mount.ts';
import { hasCode } from './system-error.ts';

export interface TmpfsOptions {
  directory: string;
  /** 0 or not given: half of the machine's memory, the kernel's default. */
  sizeBytes?: number;
  /** Permission bits of its root; 0o1777 when not given. */
  mode?: number;
}

let noswapSupported = true;

/** Mounts a tmpfs that is never swapped out where the kernel can promise that (Linux 6.4). Throws SystemError. */
export function mountTmpfs({ directory, sizeBytes = 0, mode = 0o1777 }: TmpfsOptions): void {
  const given = [`mode=${mode.toString(8)}`, ...(sizeBytes > 0 ? [`size=${sizeBytes}`] : [])];
  const mountWith = (options: string[]): void =>
    mount({ source: 'tmpfs', target: directory, type: 'tmpfs', data: options.join(',') });
  if (!noswapSupported) return mountWith(given);
  try {
    mountWith([...given, 'noswap']);
  } catch (error) {
    if (!hasCode(error, 'EINVAL')) throw error;
    noswapSupported = false;
    mountWith(given);
  }
}

/** Makes a directory of which nothing reaches a disk or swap: a tmpfs of its own, whatever /run is. Again is no error. */
export function makeDirectoryInMemory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  if (!isMountPoint(directory)) mountTmpfs({ directory, mode: 0o711 });
}
