import { quote } from '../../api/go-format.ts';
import type { PersistentVolume } from '../../api/types.ts';
import { isAlreadyExists, isConflict } from '../../client/errors.ts';
import { keyOf } from '../../client/objects.ts';
import { persistentVolumeClaims } from '../../client/resources.ts';
import { annotations, dynamicContentName, finalizers, hasFinalizer, isDeleting } from './names.ts';
import { nameOf, namespaceOf, uidOf } from './names.ts';
import { cachedOrPresent } from './present.ts';
import { volumeSnapshotContents } from './resources.ts';
import { secretRefOf, snapshotterSecret } from './secrets.ts';
import type { SecretRef } from './secrets.ts';
import { snapshotClass } from './snapshot-class.ts';
import { boundVolume, sourceClaim } from './source-volume.ts';
import { updateFailed, wordsOf } from './snapshotting.ts';
import type { Snapshotting } from './snapshotting.ts';
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from './types.ts';

/**
 * Makes the content that asks the driver for a snapshot of the claim's volume; undefined while the claim isn't held yet, which
 * sync-claim.ts does. Rejects with upstream's words.
 */
export const createContent = async (
  world: Snapshotting,
  snapshot: VolumeSnapshot,
): Promise<VolumeSnapshotContent | undefined> => {
  if (!(await isClaimHeld(world, snapshot))) return undefined;
  const object = contentFor(await inputOf(world, snapshot));
  const content = await create(world, snapshot, object);
  world.recorder.event({
    object: snapshot,
    type: 'Normal',
    reason: 'CreatingSnapshot',
    message: `Waiting for a snapshot ${keyOf(snapshot)} to be created by the CSI driver.`,
  });
  return content;
};

const isClaimHeld = async ({ client, claims }: Snapshotting, snapshot: VolumeSnapshot): Promise<boolean> => {
  const { persistentVolumeClaimName: name = '' } = snapshot.spec.source;
  const source = { client, lister: claims, resource: persistentVolumeClaims };
  const claim = await cachedOrPresent(source, { namespace: namespaceOf(snapshot), name });
  if (claim === undefined) throw updateFailed(nameOf(snapshot), 'cannot get claim from snapshot');
  if (hasFinalizer(claim, finalizers.claimAsSource)) return true;
  if (!isDeleting(claim)) return false;
  throw updateFailed(name, 'cannot add finalizer on claim because it is being deleted');
};

interface Input {
  snapshot: VolumeSnapshot;
  snapshotClass: VolumeSnapshotClass;
  volume: PersistentVolume;
  driverHandle: string;
  secret: SecretRef | undefined;
}

const inputOf = async (world: Snapshotting, snapshot: VolumeSnapshot): Promise<Input> => {
  const { volume, ...rest } = await gather(world, snapshot).catch((error: unknown) => {
    throw new Error(
      `failed to get input parameters to create snapshot ${nameOf(snapshot)}: ${quote(wordsOf(error))}`,
      { cause: error },
    );
  });
  const driverHandle = volume.spec?.csi?.volumeHandle;
  if (driverHandle === undefined)
    throw new Error(`cannot find CSI PersistentVolumeSource for volume ${nameOf(volume)}`);
  return { snapshot, volume, driverHandle, ...rest };
};

const gather = async (world: Snapshotting, snapshot: VolumeSnapshot) => {
  const { volumeSnapshotClassName } = snapshot.spec;
  if (volumeSnapshotClassName === undefined)
    throw new Error(`failed to take snapshot ${nameOf(snapshot)} without a snapshot class`);
  const chosen = await snapshotClass(world, volumeSnapshotClassName);
  const volume = await boundVolume(world, await sourceClaim(world, snapshot), 'snapshot');
  const secret = secretRefOf({
    secret: snapshotterSecret,
    parameters: chosen.parameters,
    namespaceTokens: {
      'volumesnapshotcontent.name': dynamicContentName(uidOf(snapshot)),
      'volumesnapshot.namespace': namespaceOf(snapshot),
    },
    nameTokens: { 'volumesnapshot.name': nameOf(snapshot) },
  });
  return { snapshotClass: chosen, volume, secret };
};

const contentFor = ({
  snapshot,
  snapshotClass: { deletionPolicy, driver, metadata },
  volume,
  driverHandle,
  secret,
}: Input): VolumeSnapshotContent => ({
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotContent',
  metadata: {
    name: dynamicContentName(uidOf(snapshot)),
    finalizers: [finalizers.contentBound],
    ...(secret === undefined ? {} : { annotations: deletionSecret(secret) }),
  },
  spec: {
    deletionPolicy,
    driver,
    source: { volumeHandle: driverHandle },
    ...(volume.spec?.volumeMode === undefined ? {} : { sourceVolumeMode: volume.spec.volumeMode }),
    ...(metadata?.name === undefined ? {} : { volumeSnapshotClassName: metadata.name }),
    volumeSnapshotRef: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      name: nameOf(snapshot),
      namespace: namespaceOf(snapshot),
      uid: uidOf(snapshot),
      resourceVersion: snapshot.metadata?.resourceVersion ?? '',
    },
  },
});

/** The secret is needed when the snapshot is deleted, and then the class may be gone. */
const deletionSecret = ({ name, namespace }: SecretRef) => ({
  [annotations.deletionSecretName]: name,
  [annotations.deletionSecretNamespace]: namespace,
});

const create = async (
  { client, recorder }: Snapshotting,
  snapshot: VolumeSnapshot,
  object: VolumeSnapshotContent,
): Promise<VolumeSnapshotContent> => {
  const contents = client.resource(volumeSnapshotContents);
  try {
    return await contents.create({ object });
  } catch (error) {
    // Made in an earlier try, which the cache doesn't show yet.
    if (isAlreadyExists(error)) return contents.get({ name: nameOf(object) });
    if (isConflict(error)) throw error;
    const message = `Error creating volume snapshot content object for snapshot ${keyOf(snapshot)}: ${wordsOf(error)}.`;
    recorder.event({ object: snapshot, type: 'Warning', reason: 'CreateSnapshotContentFailed', message });
    throw updateFailed(keyOf(snapshot), wordsOf(error), { cause: error });
  }
};
