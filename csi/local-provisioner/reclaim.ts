import { dirname, join, resolve } from 'node:path';
import type { PersistentVolume } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { persistentVolumes } from '../../client/resources.ts';
import { cleanBlockDevice, cleanDirectory, DiskBusy } from './clean-disk.ts';
import { kindOf } from './inspect-disk.ts';
import type { Provisioner } from './provisioner.ts';

/** Cleans a released volume and deletes it; its disk then comes back as a new one. */
export const reclaim = async (
  name: string,
  provisioner: Provisioner,
): Promise<{ retryAfterMs?: number } | undefined> => {
  const { recorder, cleaning, scanMs } = provisioner;
  const volume = provisioner.volumeOf(name);
  if (volume?.status?.phase !== 'Released' || volume.metadata?.deletionTimestamp !== undefined)
    return undefined;
  const warn = (reason: string, message: string) =>
    recorder.event({ object: volume, type: 'Warning', reason, message });
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Retain':
      return undefined;
    case 'Recycle':
      warn('VolumeUnsupportedReclaimPolicy', 'Volume has unsupported PersistentVolumeReclaimPolicy: Recycle');
      return undefined;
    case 'Delete':
      break;
    case undefined:
    default:
      warn('VolumeUnknownReclaimPolicy', 'Volume has unrecognized PersistentVolumeReclaimPolicy');
      return undefined;
  }
  cleaning.add(name);
  try {
    await clean(volume, provisioner);
    await deleteVolume(volume, provisioner);
    provisioner.busySinceMs.delete(name);
    return undefined;
  } catch (error) {
    if (provisioner.stopping.aborted) return undefined;
    if (isMerelyBusy(name, { error, provisioner })) return { retryAfterMs: scanMs };
    const cause = error instanceof Error ? error.message : String(error);
    warn('VolumeFailedDelete', `Error cleaning PV "${name}": ${cause}`);
    return { retryAfterMs: scanMs };
  } finally {
    cleaning.delete(name);
  }
};

/** The kubelet unmounts a moment after the claim has gone, and the mount table will tell: no reason to warn yet. */
const isMerelyBusy = (
  name: string,
  { error, provisioner }: { error: unknown; provisioner: Provisioner },
): boolean => {
  if (!(error instanceof DiskBusy)) return false;
  const { busySinceMs, clock, scanMs } = provisioner;
  const sinceMs = busySinceMs.get(name) ?? clock.now();
  busySinceMs.set(name, sinceMs);
  return clock.now() - sinceMs < scanMs;
};

const clean = async (volume: PersistentVolume, provisioner: Provisioner): Promise<void> => {
  const { classes, discoveryDir, recorder, stopping: signal } = provisioner;
  const className = volume.spec?.storageClassName ?? '';
  const path = volume.spec?.local?.path;
  if (path === undefined) throw new Error('Unsupported volume type');
  const folder = join(discoveryDir, className);
  // The volume's fields may have been written by anybody: nothing outside of the class's folder is ever touched.
  if (dirname(path) !== folder || resolve(path) !== path)
    throw new Error(
      `Unexpected error pv "${volume.metadata?.name ?? ''}" mountPath ${path} but mount dir is ${folder}`,
    );
  if (kindOf(path) === 'directory') return cleanDirectory(path);
  recorder.event({
    object: volume,
    type: 'Normal',
    reason: 'VolumeDelete',
    message: `Starting cleanup of Block PV "${volume.metadata?.name ?? ''}", this may take a while`,
  });
  return cleanBlockDevice(path, { command: classes[className]?.blockCleanerCommand, signal });
};

const deleteVolume = async ({ metadata }: PersistentVolume, { client }: Provisioner): Promise<void> => {
  const { name = '', uid } = metadata ?? {};
  try {
    await client.resource(persistentVolumes).delete({ name, preconditions: { uid } });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
};
