import { quantityValue } from '../../../api/quantity.ts';
import { requestedSize } from '../../../api/storage/match-volume.ts';
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from '../../../api/types.ts';
import { isNotFound } from '../../../client/errors.ts';
import { persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { wordsOf } from '../../snapshots/snapshotting.ts';
import type { VolumeContentSource } from '../../types.ts';
import { addFinalizer } from '../finalizers.ts';
import type { DataSource } from './data-source.ts';

/** On a claim that is being cloned. */
export const cloneProtection = 'provisioner.storage.kubernetes.io/cloning-protection';

interface SourceOptions {
  claim: PersistentVolumeClaim;
  storageClass: StorageClass;
  source: DataSource;
  client: Client;
}

/**
 * The volume that a claim is to be cloned from, as the driver names it: of a claim that is Bound, no larger, of the same volumeMode
 * and of the class's driver. Keeps that claim from deletion. Rejects with Errors in upstream's words.
 */
export async function cloneSource(options: SourceOptions): Promise<VolumeContentSource> {
  const { client, source, claim } = options;
  const original = await client
    .resource(persistentVolumeClaims)
    .get(source)
    .catch((error: unknown) => {
      // In the words of upstream's cache, which has it from no server.
      const absent = `persistentvolumeclaim ${JSON.stringify(source.name)} not found`;
      const why = isNotFound(error) ? absent : wordsOf(error);
      throw new Error(
        `error getting PVC ${source.name} (namespace ${JSON.stringify(source.namespace)}) from api server: ${why}`,
        { cause: error },
      );
    });
  checkClaims(original, claim);
  const volume = await boundVolume(original, options);
  checkMode(volume, claim);
  await addFinalizer({
    client,
    resource: persistentVolumeClaims,
    object: original,
    finalizer: cloneProtection,
  });
  return { volume: { volumeId: volume.spec?.csi?.volumeHandle ?? '' } };
}

function checkClaims(original: PersistentVolumeClaim, claim: PersistentVolumeClaim): void {
  const name = original.metadata?.name;
  const phase = original.status?.phase;
  if (phase !== 'Bound')
    throw new Error(`the PVC DataSource ${name} must have a status of Bound.  Got ${phase}`);
  if (original.metadata?.deletionTimestamp !== undefined)
    throw new Error(`the PVC DataSource ${name} is currently being deleted`);
  if (original.spec?.storageClassName === undefined)
    throw new Error(`the source PVC (${name}) storageclass cannot be empty`);
  if (claim.spec?.storageClassName === undefined)
    throw new Error(`the requested PVC (${claim.metadata?.name}) storageclass cannot be empty`);
  const requested = quantityValue(requestedSize(claim));
  const needed = quantityValue(requestedSize(original));
  if (requested < needed)
    throw new Error(
      `error, new PVC request must be greater than or equal in size to the specified PVC data source, requested ${requested} but source is ${needed}`,
    );
  if ((original.spec.volumeName ?? '') === '') throw new Error(`volume name is empty in source PVC ${name}`);
}

/** The source's volume, if it is bound to it both ways and the driver's own. */
async function boundVolume(
  original: PersistentVolumeClaim,
  { client, storageClass }: SourceOptions,
): Promise<PersistentVolume> {
  const invalid = () => new Error('claim in dataSource not bound or invalid');
  const volume = await client
    .resource(persistentVolumes)
    .get({ name: original.spec?.volumeName ?? '' })
    .catch((error: unknown) => {
      if (isNotFound(error)) throw invalid();
      throw error;
    });
  const { csi, claimRef } = volume.spec ?? {};
  const { uid, namespace, name } = original.metadata ?? {};
  const isBound =
    csi?.driver === storageClass.provisioner &&
    claimRef?.uid === uid &&
    claimRef?.namespace === namespace &&
    claimRef?.name === name &&
    volume.status?.phase === 'Bound';
  if (!isBound) throw invalid();
  return volume;
}

function checkMode(volume: PersistentVolume, claim: PersistentVolumeClaim): void {
  const wanted = claim.spec?.volumeMode ?? 'Filesystem';
  const present = volume.spec?.volumeMode ?? 'Filesystem';
  if (wanted === present) return;
  throw new Error(
    `the source PVC and destination PVCs must have the same volume mode for cloning.  Source is ${present}, but new PVC requested ${wanted}`,
  );
}
