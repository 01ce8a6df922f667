import { rm } from 'node:fs/promises';
import { inTreeProtection } from '../../api/storage/annotations.ts';
import type { PersistentVolume } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { persistentVolumes } from '../../client/resources.ts';
import { mountsBelow } from '../../linux/mount-info.ts';
import { nameOf } from './binder.ts';
import type { Binder } from './binder.ts';
import { saveVolume } from './save.ts';

/**
 * Deletes a hostPath volume: its directory on this machine, then the object. Answers why it can't be done, in
 * upstream's words (pkg/volume/hostpath), undefined when done. Upstream calls it a thing for tests on one machine, and
 * only in /tmp; and it deletes what is mounted in the directory too, on whatever disk or server that is. Here that is
 * refused.
 */
export const deleteVolume = async (volume: PersistentVolume, binder: Binder): Promise<string | undefined> => {
  const path = volume.spec?.hostPath?.path;
  if (path === undefined)
    return `failed to create deleter for volume "${nameOf(volume)}": spec.PersistentVolumeSource.HostPath is nil`;
  if (!isBelowTmp(path)) return `host_path deleter only supports /tmp/.+ but received provided ${path}`;
  const [mount] = mountsBelow(path);
  if (mount !== undefined)
    return `host_path deleter does not delete across mounts: ${mount.source} (${mount.type}) is mounted on ${mount.mountPoint}; unmount it first`;
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  await dropProtection(volume, binder);
  try {
    await binder.client.resource(persistentVolumes).delete({ name: nameOf(volume) });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return undefined;
};

/** Upstream finds /tmp/ anywhere in the path; here it must begin with it, and not climb out again. */
const isBelowTmp = (path: string): boolean => /^\/tmp\/.+/.test(path) && !path.split('/').includes('..');

const dropProtection = async (volume: PersistentVolume, binder: Binder): Promise<void> => {
  const present = volume.metadata?.finalizers ?? [];
  const finalizers = present.filter((finalizer) => finalizer !== inTreeProtection);
  if (finalizers.length < present.length)
    await saveVolume({ ...volume, metadata: { ...volume.metadata, finalizers } }, binder);
};
