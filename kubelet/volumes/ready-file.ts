import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasCode } from '../../linux/system-error.ts';
import { mountStateOf } from './mount-state.ts';

// Upstream's marker (pkg/volume/util IsReady): written last, so that after a crash a volume is whole or begun again.
const fileOf = (metaDirectory: string): string => join(metaDirectory, 'ready');

/** The volume was set up to its end. */
export const isReady = (metaDirectory: string): boolean => existsSync(fileOf(metaDirectory));

/** Notes that the volume is set up. */
export const setReady = (metaDirectory: string): void => write(metaDirectory, '');

/** Notes that the volume is mounted to its end; for this boot of the machine, which ends all mounts. */
export const setMountedThisBoot = (metaDirectory: string): void => write(metaDirectory, bootId());

/**
 * The volume was mounted to its end, and still is: mounts go without a boot too, with the container that a cluster runs in or by
 * umount -a, and then the folder below must not be taken for the volume.
 */
export const isMountedThisBoot = async (metaDirectory: string, target: string): Promise<boolean> =>
  wasMountedThisBoot(metaDirectory) && (await mountStateOf(target)) === 'mounted';

/** The volume was mounted to its end since the machine was booted. */
export const wasMountedThisBoot = (metaDirectory: string): boolean => {
  try {
    return readFileSync(fileOf(metaDirectory), 'utf8') === bootId();
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
};

/** From now on the volume counts as half made. */
export const removeReady = (metaDirectory: string): void => rmSync(fileOf(metaDirectory), { force: true });

const write = (metaDirectory: string, content: string): void => {
  mkdirSync(metaDirectory, { recursive: true, mode: 0o750 });
  writeFileSync(fileOf(metaDirectory), content);
};

let boot: string | undefined;
const bootId = (): string => (boot ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
