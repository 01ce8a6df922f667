import {
  externalProvisionerProtection,
  migratedTo,
  provisionedBy,
} from '../../../api/storage/annotations.ts';
import { classOfVolume } from '../../../api/storage/storage-class.ts';
import type { PersistentVolume, VolumeAttachment } from '../../../api/types.ts';
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
  const attachedSince: AttachedSince = new Map();
  const reconciler = createReconciler({
    name: `csi-provisioner ${provisioner.driver.name} volumes`,
    context,
    concurrency: options.workerThreads,
    rateLimiter: sidecarBackOff(retry),
    reconcile: (name) => reconcileVolume(provisioner, attachedSince, name),
  });
  reconciler.follow(volumes);
  reconciler.follow(attachments, ({ spec }) => [spec.source.persistentVolumeName ?? []].flat());
  return reconciler;
}

/** When a volume that is to be deleted was first found attached, by name; in milliseconds. */
type AttachedSince = Map<string, number>;

/** Within this time a volume is commonly detached once its last Pod is gone; one that takes longer is told of. */
const detachedWithinMs = 2_000;

async function reconcileVolume(
  provisioner: Provisioner,
  attachedSince: AttachedSince,
  name: string,
): Promise<{ retryAfterMs: number } | void> {
  const volume = provisioner.volumes.lister.getByKey(name);
  const kept =
    volume === undefined || !isOurs(provisioner, volume)
      ? undefined
      : await keepFinalizer(provisioner, volume);
  if (kept === undefined || !isToBeDeleted(kept)) return void attachedSince.delete(name);
  try {
    if (isAwaited(provisioner, attachedSince, name)) return { retryAfterMs: detachedWithinMs };
    refuseAttached(provisioner, name);
    attachedSince.delete(name);
    await deleteVolume(provisioner, kept);
  } catch (error) {
    const message = errorInWords(error);
    if (!provisioner.signal.aborted)
      provisioner.events.event({ object: kept, type: 'Warning', reason: 'VolumeFailedDelete', message });
    throw error;
  }
}

/** Whether the volume is attached, but not for so long that it is worth an event. Its attachment's end wakes us. */
function isAwaited(provisioner: Provisioner, attachedSince: AttachedSince, name: string): boolean {
  if (attachmentOf(provisioner, name) === undefined) return false;
  const now = provisioner.context.clock.now();
  const since = attachedSince.get(name) ?? now;
  attachedSince.set(name, since);
  return now - since < detachedWithinMs;
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

function refuseAttached(provisioner: Provisioner, name: string): void {
  const attachment = attachmentOf(provisioner, name);
  if (attachment !== undefined)
    throw new Error(`persistentvolume ${name} is still attached to node ${attachment.spec.nodeName}`);
}

function attachmentOf({ attachments }: Provisioner, name: string): VolumeAttachment | undefined {
  return attachments.lister.list().find(({ spec }) => spec.source.persistentVolumeName === name);
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
