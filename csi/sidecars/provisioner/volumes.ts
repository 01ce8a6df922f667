import {
  externalProvisionerProtection,
  migratedTo,
  provisionedBy,
} from '../../../api/storage/annotations.ts';
import { classOfVolume } from '../../../api/storage/storage-class.ts';
import type { PersistentVolume } from '../../../api/types.ts';
import { createReconciler } from '../../../client/controller.ts';
import type { Reconciler } from '../../../client/controller.ts';
import { isNotFound } from '../../../client/errors.ts';
import { persistentVolumes } from '../../../client/resources.ts';
import { failpoint } from '../../../linux/failpoint.ts';
import { errorInWords } from '../../error.ts';
import { inTreeNameFor, inTreePluginOfPv, translateInTreePv } from '../../translation/index.ts';
import { sidecarBackOff } from '../back-off.ts';
import { addFinalizer, hasFinalizer, removeFinalizer } from '../finalizers.ts';
import { classSecretRef, classSecrets, credentialsOf } from '../secrets.ts';
import { deletionSecret } from './persistent-volume.ts';
import type { Provisioner } from './settings.ts';

/**
 * Deletes the volumes whose claim is gone, if their policy says so, and then their PersistentVolumes. A finalizer keeps the object
 * until then (KEP-2644), so that nobody deletes it and loses the volume.
 *
 *     Bound (finalizer) ──claim gone──▶ Released ──attachments gone──DeleteVolume──▶ object deleted, finalizer removed
 */
export function reconcileVolumes(provisioner: Provisioner): Reconciler {
  const { context, volumes, attachments, retry, options } = provisioner;
  const reconciler = createReconciler({
    name: `csi-provisioner ${provisioner.driver.name} volumes`,
    context,
    concurrency: options.workerThreads,
    rateLimiter: sidecarBackOff(retry),
    reconcile: (name) => reconcileVolume(provisioner, name),
  });
  reconciler.follow(volumes);
  reconciler.follow(attachments, ({ spec }) => [spec.source.persistentVolumeName ?? []].flat());
  return reconciler;
}

async function reconcileVolume(provisioner: Provisioner, name: string): Promise<void> {
  const volume = provisioner.volumes.lister.getByKey(name);
  if (volume === undefined || !isOurs(provisioner, volume)) return;
  const kept = await keepFinalizer(provisioner, volume);
  if (kept === undefined || !isToBeDeleted(kept)) return;
  try {
    await deleteVolume(provisioner, kept);
  } catch (error) {
    const message = errorInWords(error);
    if (!provisioner.signal.aborted)
      provisioner.events.event({ object: kept, type: 'Warning', reason: 'VolumeFailedDelete', message });
    throw error;
  }
}

function isOurs({ driver }: Provisioner, { metadata, spec }: PersistentVolume): boolean {
  const { annotations = {} } = metadata ?? {};
  const by = annotations[provisionedBy];
  if (by === driver.name || annotations[migratedTo] === driver.name) return true;
  return by === undefined && spec?.csi?.driver === driver.name;
}

function keepFinalizer(
  { context: { client } }: Provisioner,
  volume: PersistentVolume,
): Promise<PersistentVolume | undefined> {
  const { metadata, spec, status } = volume;
  const options = {
    client,
    resource: persistentVolumes,
    object: volume,
    finalizer: externalProvisionerProtection,
  };
  const policy = spec?.persistentVolumeReclaimPolicy;
  if (policy === 'Retain' || policy === 'Recycle') return removeFinalizer(options);
  const isBound = metadata?.deletionTimestamp === undefined && status?.phase === 'Bound';
  return policy === 'Delete' && isBound ? addFinalizer(options) : Promise.resolve(volume);
}

function isToBeDeleted(volume: PersistentVolume): boolean {
  const isBeingDeleted = volume.metadata?.deletionTimestamp !== undefined;
  // Without the finalizer the volume itself has been deleted already.
  if (isBeingDeleted && !hasFinalizer(volume, externalProvisionerProtection)) return false;
  return volume.status?.phase === 'Released' && volume.spec?.persistentVolumeReclaimPolicy === 'Delete';
}

async function deleteVolume(provisioner: Provisioner, volume: PersistentVolume): Promise<void> {
  const { driver, context, signal } = provisioner;
  const source = inTreePluginOfPv(volume) === undefined ? volume : translateInTreePv(volume);
  const volumeId = source.spec?.csi?.volumeHandle;
  if (volumeId === undefined) throw new Error('invalid CSI PV');
  const name = volume.metadata?.name ?? '';
  const secrets = await deletionCredentials(provisioner, source);
  refuseAttached(provisioner, name);
  await driver.controller.deleteVolume({ volumeId, secrets }, { signal });
  await failpoint('csi.provisioner.after-delete-volume');
  await context.client
    .resource(persistentVolumes)
    .delete({ name })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  const object = await context.client
    .resource(persistentVolumes)
    .get({ name })
    .catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
  if (object === undefined || object.metadata?.uid !== volume.metadata?.uid) return;
  const { client } = context;
  await removeFinalizer({
    client,
    resource: persistentVolumes,
    object,
    finalizer: externalProvisionerProtection,
  });
}

function refuseAttached({ attachments }: Provisioner, name: string): void {
  const attachment = attachments.lister.list().find(({ spec }) => spec.source.persistentVolumeName === name);
  if (attachment !== undefined)
    throw new Error(`persistentvolume ${name} is still attached to node ${attachment.spec.nodeName}`);
}

/** The secret that the volume was made with. When it is gone the driver is asked without: it may not need it. */
async function deletionCredentials(
  provisioner: Provisioner,
  volume: PersistentVolume,
): Promise<Record<string, string>> {
  const ref = deletionRef(provisioner, volume);
  const { client, log } = provisioner.context;
  return credentialsOf(client, ref).catch((error: unknown) => {
    log.warn({ err: error, volume: volume.metadata?.name }, 'failed to get credentials for deletion');
    return {};
  });
}

function deletionRef({ classes, driver }: Provisioner, volume: PersistentVolume) {
  const annotations = volume.metadata?.annotations ?? {};
  const name = annotations[deletionSecret.name];
  const namespace = annotations[deletionSecret.namespace];
  if (name !== undefined && namespace !== undefined)
    return name === '' || namespace === '' ? undefined : { name, namespace };
  const storageClass = classes.lister.getByKey(classOfVolume(volume));
  const claimRef = volume.spec?.claimRef;
  if (storageClass === undefined || claimRef === undefined) return undefined;
  if (![driver.name, inTreeNameFor(driver.name)].includes(storageClass.provisioner)) return undefined;
  return classSecretRef(classSecrets.provisioner, {
    parameters: storageClass.parameters ?? {},
    pvName: volume.metadata?.name ?? '',
    claim: {
      metadata: { name: claimRef.name ?? '', namespace: claimRef.namespace ?? '' },
    },
  });
}
