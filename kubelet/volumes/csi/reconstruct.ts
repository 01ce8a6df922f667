import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isMountPoint } from '../../../linux/mount-info.ts';
import { hasCode } from '../../../linux/system-error.ts';
import { wasMountedThisBoot } from '../ready-file.ts';
import { isServed } from '../server-answers.ts';
import type { CsiContext } from './context.ts';
import { deviceOf } from './device-of.ts';
import { csiDirectory, globalMount, volumeDevices } from './paths.ts';
import { loadVolumeData } from './volume-data.ts';

/**
 * Finds the volumes that a kubelet before this one has staged, or has begun to, by the notes that it wrote before it called the driver.
 * So nothing stays staged because a kubelet died at the wrong moment.
 */
export const reconstructDevices = (context: CsiContext): void => {
  const all = csiDirectory(context.rootDir);
  for (const driver of foldersIn(all).filter((name) => name !== 'volumeDevices')) {
    for (const hash of foldersIn(join(all, driver))) adopt(context, join(all, driver, hash));
  }
  const blocks = volumeDevices(context.rootDir);
  for (const name of foldersIn(blocks).filter((each) => each !== 'staging' && each !== 'publish')) {
    adopt(context, join(blocks, name, 'data'), name);
  }
};

const adopt = (context: CsiContext, directory: string, blockName?: string): void => {
  const data = loadVolumeData(directory);
  if (data === undefined) return;
  const staging = globalMount(context.rootDir, data.driverName, data.volumeHandle);
  // What staging a block volume leaves, if anything, is the driver's own affair.
  const isStaged = wasMountedThisBoot(directory) && (blockName !== undefined || isAlive(staging));
  const state = isStaged ? 'staged' : 'uncertain';
  deviceOf(context, { driver: data.driverName, handle: data.volumeHandle, blockName }, { state });
};

/** What has a server may be dead, and can be staged once more as well. */
const isAlive = (path: string): boolean => !isServed(path) && isMountPoint(path);

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
