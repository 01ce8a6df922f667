import { quote } from '../../../api/go-format.ts';
import type { PersistentVolume } from '../../../api/types.ts';
import { isAlreadyExists } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import { annotations, dynamicGroupContentName, finalizers, nameOf, namespaceOf, uidOf } from '../names.ts';
import { groupSnapshotGroup, volumeGroupSnapshotContents } from '../resources.ts';
import { groupSnapshotterSecret, secretRefOf } from '../secrets.ts';
import type { SecretRef } from '../secrets.ts';
import { updateFailed, wordsOf } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotClass, VolumeGroupSnapshotContent } from '../types.ts';
import { groupSnapshotClass } from './group-class.ts';
import { groupVolumes } from './group-volumes.ts';

/** Makes the content that asks the driver for a snapshot of all volumes at once. Rejects with upstream's words. */
export const createGroupContent = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
): Promise<VolumeGroupSnapshotContent> => {
  const { volumes, ...input } = await inputOf(world, group).catch((error: unknown) => {
    throw new Error(
      `failed to get input parameters to create group snapshot ${nameOf(group)}: ${quote(wordsOf(error))}`,
      { cause: error },
    );
  });
  const volumeHandles = volumes.map((volume) => handleOf(world, group, input.groupClass, volume));
  const content = await create(world, group, contentFor({ group, volumeHandles, ...input }));
  world.recorder.event({
    object: group,
    type: 'Normal',
    reason: 'CreatingGroupSnapshot',
    message: `Waiting for a group snapshot ${keyOf(group)} to be created by the CSI driver.`,
  });
  return content;
};

const inputOf = async (world: Snapshotting, group: VolumeGroupSnapshot) => {
  const { volumeGroupSnapshotClassName } = group.spec;
  if (volumeGroupSnapshotClassName === undefined)
    throw new Error(`failed to take group snapshot ${nameOf(group)} without a group snapshot class`);
  const groupClass = await groupSnapshotClass(world, volumeGroupSnapshotClassName);
  const volumes = await groupVolumes(world, group);
  const secret = secretRefOf({
    secret: groupSnapshotterSecret,
    parameters: groupClass.parameters,
    namespaceTokens: {
      'volumegroupsnapshotcontent.name': dynamicGroupContentName(uidOf(group)),
      'volumegroupsnapshot.namespace': namespaceOf(group),
    },
    nameTokens: { 'volumegroupsnapshot.name': nameOf(group) },
  });
  return { groupClass, volumes, secret };
};

/** A group is taken by one driver in one call. */
const handleOf = (
  { recorder }: Snapshotting,
  group: VolumeGroupSnapshot,
  { driver }: VolumeGroupSnapshotClass,
  volume: PersistentVolume,
): string => {
  const tell = (message: string) =>
    recorder.event({ object: group, type: 'Warning', reason: 'CreateGroupSnapshotContentFailed', message });
  const { csi } = volume.spec ?? {};
  if (csi === undefined) {
    tell(`Cannot snapshot a non-CSI volume: ${nameOf(volume)}`);
    throw new Error(`cannot snapshot a non-CSI volume for group snapshot ${keyOf(group)}: ${nameOf(volume)}`);
  }
  if (csi.driver === driver) return csi.volumeHandle;
  const message = `Volume CSI driver (${csi.driver}) mismatch with VolumeGroupSnapshotClass (${driver}) ${keyOf(group)}: ${nameOf(volume)}`;
  tell(message);
  throw updateFailed(keyOf(group), message);
};

const contentFor = ({
  group,
  groupClass,
  volumeHandles,
  secret,
}: {
  group: VolumeGroupSnapshot;
  groupClass: VolumeGroupSnapshotClass;
  volumeHandles: string[];
  secret: SecretRef | undefined;
}): VolumeGroupSnapshotContent => ({
  apiVersion: `${groupSnapshotGroup}/v1`,
  kind: 'VolumeGroupSnapshotContent',
  metadata: {
    name: dynamicGroupContentName(uidOf(group)),
    finalizers: [finalizers.groupContentBound],
    ...(secret === undefined ? {} : { annotations: deletionSecret(secret) }),
  },
  spec: {
    deletionPolicy: groupClass.deletionPolicy,
    driver: groupClass.driver,
    source: { volumeHandles },
    volumeGroupSnapshotClassName: nameOf(groupClass),
    volumeGroupSnapshotRef: {
      apiVersion: `${groupSnapshotGroup}/v1`,
      kind: 'VolumeGroupSnapshot',
      name: nameOf(group),
      namespace: namespaceOf(group),
      uid: uidOf(group),
      resourceVersion: group.metadata?.resourceVersion ?? '',
    },
  },
});

const deletionSecret = ({ name, namespace }: SecretRef) => ({
  [annotations.groupDeletionSecretName]: name,
  [annotations.groupDeletionSecretNamespace]: namespace,
});

const create = async (
  { client, recorder }: Snapshotting,
  group: VolumeGroupSnapshot,
  object: VolumeGroupSnapshotContent,
): Promise<VolumeGroupSnapshotContent> => {
  const contents = client.resource(volumeGroupSnapshotContents);
  try {
    return await contents.create({ object });
  } catch (error) {
    // Made in an earlier try, which the cache doesn't show yet.
    if (isAlreadyExists(error)) return contents.get({ name: nameOf(object) });
    const message = `Error creating volume group snapshot content object for group snapshot ${keyOf(group)}: ${wordsOf(error)}.`;
    recorder.event({ object: group, type: 'Warning', reason: 'CreateGroupSnapshotContentFailed', message });
    throw updateFailed(keyOf(group), wordsOf(error), { cause: error });
  }
};
