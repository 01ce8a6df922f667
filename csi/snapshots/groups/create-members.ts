import type { PersistentVolume } from '../../../api/types.ts';
import { isAlreadyExists } from '../../../client/errors.ts';
import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import { annotations, finalizers, isUnset, memberNames, nameOf, namespaceOf, uidOf } from '../names.ts';
import { snapshotGroup, volumeSnapshotContents, volumeSnapshots } from '../resources.ts';
import { groupSnapshotterSecret, secretRefOf } from '../secrets.ts';
import type { SecretRef } from '../secrets.ts';
import { handleKey } from '../snapshotting.ts';
import type { Snapshotting } from '../snapshotting.ts';
import type {
  VolumeGroupSnapshot,
  VolumeGroupSnapshotContent,
  VolumeSnapshot,
  VolumeSnapshotContent,
  VolumeSnapshotInfo,
} from '../types.ts';
import { ownerReferenceTo } from './adopt-member.ts';
import { groupSnapshotClass } from './group-class.ts';

/**
 * Makes a VolumeSnapshot and its content, bound to each other, for each snapshot that the driver has taken for the group. Does
 * what is missing: it can be cut off anywhere. Nothing to do before the driver has answered.
 */
export const createMembers = async (
  world: Snapshotting,
  group: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<void> => {
  const { volumeGroupSnapshotHandle: groupHandle, volumeSnapshotInfoList = [] } = content.status ?? {};
  if (groupHandle === undefined || volumeSnapshotInfoList.length === 0) return;
  const secret = await memberSecret(world, group, content);
  for (const info of volumeSnapshotInfoList)
    await createMember(world, { group, content, groupHandle, info, secret });
};

interface Member {
  group: VolumeGroupSnapshot;
  content: VolumeGroupSnapshotContent;
  groupHandle: string;
  info: VolumeSnapshotInfo;
  secret: SecretRef | undefined;
}

const memberSecret = async (
  world: Snapshotting,
  { spec: { volumeGroupSnapshotClassName: className } }: VolumeGroupSnapshot,
  content: VolumeGroupSnapshotContent,
): Promise<SecretRef | undefined> => {
  if (className === undefined)
    throw new Error(
      'getGroupSnapshotSecret: internal error: cannot find reference to volume group snapshot class',
    );
  const { parameters } = await groupSnapshotClass(world, className);
  return secretRefOf({
    secret: groupSnapshotterSecret,
    parameters,
    namespaceTokens: {
      'volumegroupsnapshotcontent.name': nameOf(content),
      'volumegroupsnapshot.namespace': content.spec.volumeGroupSnapshotRef.namespace ?? '',
    },
    nameTokens: { 'volumegroupsnapshot.name': content.spec.volumeGroupSnapshotRef.name ?? '' },
  });
};

const createMember = async (world: Snapshotting, member: Member): Promise<void> => {
  const volume = volumeOf(world, member);
  const memberContent = await createOrGet(world, volumeSnapshotContents, contentFor(member, volume));
  const snapshot = await createOrGet(world, volumeSnapshots, snapshotFor(member, volume));
  await bindContent(world, memberContent, snapshot);
  await bindSnapshot(world, snapshot, memberContent);
  await tellContent(world, memberContent, member);
};

/** The volume may be gone by now; two with the same handle are as good as none. */
const volumeOf = ({ volumes }: Snapshotting, { content, info }: Member): PersistentVolume | undefined => {
  const found = volumes.byIndex('handle', handleKey(content.spec.driver, info.volumeHandle ?? ''));
  return found.length === 1 ? found[0] : undefined;
};

const contentFor = (
  { group, content, groupHandle, info: { volumeHandle = '' }, secret }: Member,
  volume: PersistentVolume | undefined,
): VolumeSnapshotContent => {
  const names = memberNames(uidOf(group), volumeHandle);
  return {
    apiVersion: `${snapshotGroup}/v1`,
    kind: 'VolumeSnapshotContent',
    metadata: {
      name: names.content,
      annotations: {
        [annotations.groupHandle]: groupHandle,
        ...(secret === undefined
          ? {}
          : {
              [annotations.deletionSecretName]: secret.name,
              [annotations.deletionSecretNamespace]: secret.namespace,
            }),
      },
    },
    spec: {
      deletionPolicy: content.spec.deletionPolicy,
      driver: content.spec.driver,
      source: { volumeHandle },
      ...(volume?.spec?.volumeMode === undefined ? {} : { sourceVolumeMode: volume.spec.volumeMode }),
      volumeSnapshotRef: { kind: 'VolumeSnapshot', name: names.snapshot, namespace: namespaceOf(group) },
    },
  };
};

const snapshotFor = (
  { group, info: { volumeHandle = '' } }: Member,
  volume: PersistentVolume | undefined,
): VolumeSnapshot => ({
  apiVersion: `${snapshotGroup}/v1`,
  kind: 'VolumeSnapshot',
  metadata: {
    name: memberNames(uidOf(group), volumeHandle).snapshot,
    namespace: namespaceOf(group),
    ownerReferences: [ownerReferenceTo(group)],
    finalizers: [finalizers.snapshotInGroup],
  },
  spec: { source: { persistentVolumeClaimName: volume?.spec?.claimRef?.name ?? '' } },
});

const createOrGet = async <T extends ApiObject>(
  { client }: Snapshotting,
  resource: ResourceId<T>,
  object: T,
): Promise<T> => {
  try {
    return await client.resource(resource).create({ object });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    return client.resource(resource).get({ name: nameOf(object), namespace: object.metadata?.namespace });
  }
};

const bindContent = async (
  { client }: Snapshotting,
  content: VolumeSnapshotContent,
  snapshot: VolumeSnapshot,
): Promise<void> => {
  if (!isUnset(content.spec.volumeSnapshotRef.uid)) return;
  const patch = { spec: { volumeSnapshotRef: { uid: uidOf(snapshot) } } };
  await client.resource(volumeSnapshotContents).patch({ name: nameOf(content), type: 'merge', patch });
};

const bindSnapshot = async (
  { client }: Snapshotting,
  snapshot: VolumeSnapshot,
  content: VolumeSnapshotContent,
): Promise<void> => {
  if (!isUnset(snapshot.status?.boundVolumeSnapshotContentName)) return;
  await client.resource(volumeSnapshots).patch({
    name: nameOf(snapshot),
    namespace: namespaceOf(snapshot),
    subresource: 'status',
    type: 'merge',
    patch: { status: { boundVolumeSnapshotContentName: nameOf(content) } },
  });
};

/** Once: from then on the sidecar keeps the status. */
const tellContent = async (
  { client }: Snapshotting,
  content: VolumeSnapshotContent,
  { groupHandle, info: { volumeHandle: _volume, ...info } }: Member,
): Promise<void> => {
  if (content.status?.snapshotHandle !== undefined) return;
  await client.resource(volumeSnapshotContents).patch({
    name: nameOf(content),
    subresource: 'status',
    type: 'merge',
    patch: { status: { ...info, volumeGroupSnapshotHandle: groupHandle } },
  });
};
