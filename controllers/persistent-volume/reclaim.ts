import { migratedTo, provisionedBy } from '../../api/storage/annotations.ts';
import { podsByClaim, isPodTerminated } from '../pods-by-claim.ts';
import type { PersistentVolume } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { persistentVolumes } from '../../client/resources.ts';
import { unbind } from './bind.ts';
import { claimKeyOf, hasAnnotation, nameOf } from './binder.ts';
import type { Binder } from './binder.ts';
import { deleteVolume } from './delete-volume.ts';
import { recyclerPodFor, runRecycler } from './recycler.ts';
import { failVolume } from './save.ts';

/** Does with a released volume what its reclaim policy says. */
export const reclaim = async (volume: PersistentVolume, binder: Binder): Promise<void> => {
  // The CSI driver's provisioner takes care of what is migrated.
  if ((volume.metadata?.annotations?.[migratedTo] ?? '') !== '') return;
  switch (volume.spec?.persistentVolumeReclaimPolicy) {
    case 'Retain':
      return;
    case 'Recycle':
      binder.operations.run(`recycle ${nameOf(volume)}`, (signal) => recycle(volume, { binder, signal }));
      return;
    case 'Delete':
      return remove(volume, binder);
    case undefined:
    default:
      await failVolume(
        volume,
        {
          reason: 'VolumeUnknownReclaimPolicy',
          message: 'Volume has unrecognized PersistentVolumeReclaimPolicy',
        },
        binder,
      );
  }
};

/**
 * Who deletes the storage below a volume: an external provisioner (undefined is answered), this controller
 * ('host-path'), or nobody (an Error with upstream's words).
 */
const deleterOf = (volume: PersistentVolume): 'host-path' | Error | undefined => {
  const provisioner = volume.metadata?.annotations?.[provisionedBy] ?? '';
  if (provisioner !== '') {
    if (!provisioner.startsWith('kubernetes.io/')) return undefined;
    if (provisioner === 'kubernetes.io/host-path') return 'host-path';
    if (provisioner === 'kubernetes.io/nfs') return new Error('no deletable volume plugin matched');
    return new Error(`no volume plugin matched name: ${provisioner}`);
  }
  if (hasAnnotation(volume, migratedTo) || volume.spec?.csi !== undefined) return undefined;
  if (volume.spec?.hostPath !== undefined) return 'host-path';
  const cause =
    volume.spec?.nfs === undefined ? 'no volume plugin matched' : 'no deletable volume plugin matched';
  return new Error(`error getting deleter volume plugin for volume "${nameOf(volume)}": ${cause}`);
};

const remove = async (volume: PersistentVolume, binder: Binder): Promise<void> => {
  const deleter = deleterOf(volume);
  if (deleter === undefined) return;
  const fail = (message: string) => failVolume(volume, { reason: 'VolumeFailedDelete', message }, binder);
  if (deleter instanceof Error) return fail(deleter.message);
  const live = await releasedVolume(volume, binder);
  if (live === undefined) return;
  const failure = await deleteVolume(live, binder);
  // Tried again at each resync, although it is Failed.
  if (failure !== undefined) await fail(failure);
};

/** The volume as the server has it, if it is still to be reclaimed. */
const releasedVolume = async (
  volume: PersistentVolume,
  { client, claims }: Binder,
): Promise<PersistentVolume | undefined> => {
  try {
    const live = await client.resource(persistentVolumes).get({ name: nameOf(volume) });
    const claimRef = live.spec?.claimRef;
    if (claimRef === undefined || (claimRef.uid ?? '') === '') return undefined;
    const claim = claims.getByKey(claimKeyOf(live) ?? '');
    if (claim?.metadata?.uid !== claimRef.uid) return live;
    const volumeName = claim?.spec?.volumeName ?? '';
    return volumeName !== '' && volumeName !== nameOf(live) ? live : undefined;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

const recycle = async (
  volume: PersistentVolume,
  { binder, signal }: { binder: Binder; signal: AbortSignal },
): Promise<void> => {
  const live = await releasedVolume(volume, binder);
  if (live === undefined || isUsed(live, binder)) return;
  const fail = (message: string) => failVolume(live, { reason: 'VolumeFailedRecycle', message }, binder);
  const pod = recyclerPodFor(live);
  if (pod === undefined) return fail('No recycler plugin found for the volume!');
  try {
    await runRecycler({ pod, binder, volume: live, signal });
  } catch (error) {
    if (signal.aborted) return;
    await fail(`Recycle failed: ${error instanceof Error ? error.message : String(error)}`);
    return;
  }
  binder.recorder.event({
    object: live,
    type: 'Normal',
    reason: 'VolumeRecycled',
    message: 'Volume recycled',
  });
  await unbind(live, binder);
};

/** Pods may outlive the claim they use; a new claim of the same name uses another volume. Says so in an event. */
const isUsed = (volume: PersistentVolume, { pods, claims, announce }: Binder): boolean => {
  const key = claimKeyOf(volume) ?? '';
  const users = pods.byIndex(podsByClaim, key).filter((pod) => !isPodTerminated(pod));
  if (users.length === 0 || claims.getByKey(key) !== undefined) return false;
  const names = users.map(({ metadata }) => `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`);
  const message = `Volume is used by pods: ${names.sort().join()}`;
  announce(volume, { type: 'Normal', reason: 'VolumeFailedRecycle', message });
  return true;
};
