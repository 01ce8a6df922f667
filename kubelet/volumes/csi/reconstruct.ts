import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../../linux/system-error.ts';
import { isMountedThisBoot } from '../ready-file.ts';
import type { CsiContext } from './context.ts';
import { deviceOf } from './device-of.ts';
import { csiDirectory, volumeDevices } from './paths.ts';
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
  const state = isMountedThisBoot(directory) ? 'staged' : 'uncertain';
  deviceOf(context, { driver: data.driverName, handle: data.volumeHandle, blockName }, { state });
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
