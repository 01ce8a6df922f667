import { readFileSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeTemporaries, replaceFile } from '../../../linux/files.ts';
import { isMountPoint } from '../../../linux/mount-info.ts';
import { hasCode } from '../../../linux/system-error.ts';
import { removeReady } from '../ready-file.ts';

/** What vol_data.json says, by upstream's keys: enough to take a volume away with nothing else known of it. */
export interface VolumeData {
  specVolID?: string;
  volumeHandle: string;
  driverName: string;
  nodeName?: string;
  attachmentID?: string;
  volumeLifecycleMode?: 'Persistent' | 'Ephemeral';
}

const fileIn = (directory: string): string => join(directory, 'vol_data.json');

/** Written before the driver is called, so that what it may have done is known after a crash. */
export const saveVolumeData = (directory: string, data: VolumeData): void =>
  replaceFile(fileIn(directory), JSON.stringify(data), { mode: 0o644 });

/**
 * Undefined when there is none. One that is torn counts as none: written as a whole, it can only be torn by a power cut, which has
 * ended all mounts too. Throws Error, naming the file, when it can't be read.
 */
export const loadVolumeData = (directory: string): VolumeData | undefined => {
  const file = fileIn(directory);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VolumeData;
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR') || error instanceof SyntaxError) return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`failed to load volume data file [${file}]: ${why}`, { cause: error });
  }
};

/**
 * Removes a target that is no longer mounted, the notes beside it, and their folder. A driver is to remove its target itself
 * (CSI spec, NodeUnpublishVolume); not all do. Only empty folders go. Throws Error while the target is mounted.
 */
export const removeTarget = (target: string): void => {
  if (isMountPoint(target)) throw new Error(`${target} is still mounted`);
  const directory = dirname(target);
  removeReady(directory);
  removeIfThere(target);
  rmSync(fileIn(directory), { force: true });
  removeTemporaries(directory);
  removeIfThere(directory);
};

/** The same after a call has failed for good, whose error is what the user must hear. What is left here goes when the volume does. */
export const removeFailedTarget = (target: string): void => {
  try {
    removeTarget(target);
  } catch {
    // Mounted still, or not empty.
  }
};

const removeIfThere = (path: string): void => {
  try {
    rmdirSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) rmSync(path);
    else if (!hasCode(error, 'ENOENT')) throw error;
  }
};
