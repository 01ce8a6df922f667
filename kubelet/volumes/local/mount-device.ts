import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { probeDisk } from '../../../linux/disk-content.ts';
import { checkExt } from '../../../linux/grow-filesystem.ts';
import { fileSystemsToMake, makeFileSystem } from '../../../linux/make-filesystem.ts';
import type { FileSystemType } from '../../../linux/make-filesystem.ts';
import { isMountPoint } from '../../../linux/mount-info.ts';
import { mountWaiting, parseMountOptions, unmountWaiting } from '../../../linux/mount.ts';
import { hasCode } from '../../../linux/system-error.ts';
import { referencesInTheWay } from '../devices/mount-references.ts';

const mountsDirectory = (rootDir: string): string =>
  join(rootDir, 'plugins', 'kubernetes.io', 'local-volume', 'mounts');

/** `plugins/kubernetes.io/local-volume/mounts/<volume>`: where a device is mounted once for all Pods. */
export const deviceMountPath = (rootDir: string, name: string): string =>
  join(mountsDirectory(rootDir), name);

/** The local volumes whose device is mounted, or was about to be. */
export const mountedDevices = (rootDir: string): string[] => {
  try {
    return readdirSync(mountsDirectory(rootDir));
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
};

export interface MountDeviceOptions {
  rootDir: string;
  name: string;
  device: string;
  /** ext4 when empty. */
  fsType: string;
  readOnly: boolean;
  mountOptions: readonly string[];
}

/**
 * Mounts a device with a file system, making one when the device is empty. What is on it is never written over. Rejects with Error in
 * upstream's words (local.go mountLocalBlockDevice, mount-utils FormatAndMount).
 */
export const mountDevice = async (options: MountDeviceOptions): Promise<void> => {
  const { rootDir, name, device, readOnly, mountOptions } = options;
  const target = deviceMountPath(rootDir, name);
  if (isMountPoint(target)) return;
  const type = options.fsType === '' ? 'ext4' : options.fsType;
  mkdirSync(target, { recursive: true, mode: 0o750 });
  try {
    await prepare(device, type, { readOnly });
    const parsed = parseMountOptions([...mountOptions, ...(readOnly ? ['ro'] : [])]);
    await mountWaiting({ source: device, target, type, ...parsed });
  } catch (error) {
    rmdirSync(target);
    const why = error instanceof Error ? error.message : String(error);
    const what = `local: failed to mount device ${device} at ${target} (fstype: ${type}), error ${why}`;
    throw new Error(what, { cause: error });
  }
};

const prepare = async (device: string, type: string, { readOnly }: { readOnly: boolean }): Promise<void> => {
  const content = await probeDisk(device);
  if (content.kind === 'empty' || content.kind === 'unfinished') {
    if (readOnly)
      throw new Error(`cannot mount unformatted disk ${device} as we are manipulating it in read-only mode`);
    if (isMakeable(type)) return makeFileSystem(device, type);
    throw new Error(`file systems of type ${type} cannot be made here (${fileSystemsToMake.join(', ')} can)`);
  }
  const existing = content.kind === 'other' ? content.words : content.type;
  if (existing !== type) {
    throw new Error(`failed to mount the volume as "${type}", it already contains ${existing}`);
  }
  if (content.kind === 'file system' && content.type !== 'xfs' && !readOnly) await checkExt(device);
};

const isMakeable = (type: string): type is FileSystemType =>
  (fileSystemsToMake as readonly string[]).includes(type);

/** Unmounts the device of a local volume. Idempotent. Rejects with Error while it is mounted elsewhere too. */
export const unmountDevice = async (rootDir: string, name: string): Promise<void> => {
  const target = deviceMountPath(rootDir, name);
  const references = referencesInTheWay(target, rootDir);
  if (references.length > 0) {
    throw new Error(
      `GetDeviceMountRefs check failed: the device mount path "${target}" is still mounted by other references [${references.join(' ')}]`,
    );
  }
  await unmountWaiting(target, { ifMounted: true });
  try {
    rmdirSync(target);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
};
