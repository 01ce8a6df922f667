import { statSync } from 'node:fs';
import type { Device } from '../devices/device.ts';
import type { DeviceManager } from '../devices/device-manager.ts';
import type { VolumeSpec } from '../volume-spec.ts';
import { VolumeError } from '../volume-error.ts';
import type { ResizeContext } from '../resize/resize-claim.ts';
import { serverAnswers } from '../server-answers.ts';
import { wayOf } from '../way.ts';
import { unmountDevice } from './mount-device.ts';

export const localPluginName = 'kubernetes.io/local-volume';

/** What local volumes work with. */
export interface LocalContext extends ResizeContext {
  /** The kubelet's directory. */
  rootDir: string;
  devices: DeviceManager;
}

export interface LocalSource {
  path: string;
  isDevice: boolean;
}

/** What is at a local volume's path. Rejects with VolumeError in upstream's words when it can't be used. */
export const localSourceOf = async (spec: VolumeSpec): Promise<LocalSource> => {
  const path = spec.persistentVolume?.spec?.local?.path ?? '';
  const { step, reason } = wayOf(spec);
  const refuse = (name: string, why: string): never => {
    throw new VolumeError({ step: step(name), volumeName: spec.name, why, reason });
  };
  if (path === '') refuse('SetUp', `LocalVolume volume "${spec.name}" path is empty`);
  if (path.split('/').includes('..')) refuse('SetUp', `invalid path: ${path} must not contain '..'`);
  await serverAnswers(path);
  const info = statSync(path, { throwIfNoEntry: false });
  const begin = spec.mode === 'Block' ? 'NewBlockVolumeMapper initialization' : 'NewMounter initialization';
  if (info === undefined) return refuse(begin, `path "${path}" does not exist`);
  if (info.isDirectory() && spec.mode === 'Filesystem') return { path, isDevice: false };
  if (info.isBlockDevice()) return { path, isDevice: true };
  const wanted = spec.mode === 'Block' ? 'block device is' : 'directory and block device are';
  return refuse(begin, `only ${wanted} supported`);
};

/** What the node has of a local volume: when it is a device with a file system, its mount for all Pods. */
export const localDevice = (
  { rootDir, devices }: LocalContext,
  name: string,
  { state }: { state?: 'uncertain' } = {},
): Device =>
  devices.device({
    uniqueName: `${localPluginName}/${name}`,
    isAttachable: () => false,
    unstage: () => unmountDevice(rootDir, name),
    ...(state === undefined ? {} : { state }),
  });
