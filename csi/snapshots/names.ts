import { createHash } from 'node:crypto';
import type { ApiObject } from '../../client/objects.ts';
import { keyOf } from '../../client/objects.ts';
import type { ObjectReference } from '../../api/types.ts';

/** Finalizers and annotations that snapshots are handled with (external-snapshotter pkg/utils/util.go). */
export const finalizers = {
  /** On a claim while a snapshot is taken of it. */
  claimAsSource: 'snapshot.storage.kubernetes.io/pvc-as-source-protection',
  /** On a VolumeSnapshot: claims may be restored from it. */
  snapshotAsSource: 'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection',
  /** On a VolumeSnapshot whose content is deleted with it. */
  snapshotBound: 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection',
  snapshotInGroup: 'snapshot.storage.kubernetes.io/volumesnapshot-in-group-protection',
  contentBound: 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection',
  groupBound: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-bound-protection',
  groupContentBound: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshotcontent-bound-protection',
} as const;

export const annotations = {
  isDefaultClass: 'snapshot.storage.kubernetes.io/is-default-class',
  isDefaultGroupClass: 'groupsnapshot.storage.kubernetes.io/is-default-class',
  /** On a content whose VolumeSnapshot is being deleted: the sidecar may let go of it. */
  beingDeleted: 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
  /** On a content while nobody knows whether the driver is still making the snapshot. */
  beingCreated: 'snapshot.storage.kubernetes.io/volumesnapshot-being-created',
  groupBeingDeleted: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-deleted',
  groupBeingCreated: 'groupsnapshot.storage.kubernetes.io/volumegroupsnapshot-being-created',
  deletionSecretName: 'snapshot.storage.kubernetes.io/deletion-secret-name',
  deletionSecretNamespace: 'snapshot.storage.kubernetes.io/deletion-secret-namespace',
  groupDeletionSecretName: 'groupsnapshot.storage.kubernetes.io/deletion-secret-name',
  groupDeletionSecretNamespace: 'groupsnapshot.storage.kubernetes.io/deletion-secret-namespace',
  /** On the content of a group's member: the group's driver call made the snapshot. */
  groupHandle: 'groupsnapshot.storage.k8s.io/volumeGroupSnapshotHandle',
} as const;

/** The name of the content that is made for a VolumeSnapshot: the same in every try. */
export const dynamicContentName = (snapshotUid: string): string => `snapcontent-${snapshotUid}`;
export const dynamicGroupContentName = (groupUid: string): string => `groupsnapcontent-${groupUid}`;

/** The names of a group's member and its content, by the volume it is of. */
export const memberNames = (groupUid: string, volumeHandle: string) => {
  const hash = createHash('sha256').update(`${groupUid}${volumeHandle}`).digest('hex');
  return { snapshot: `snapshot-${hash}`, content: `snapcontent-${hash}` };
};

export const uidOf = ({ metadata }: ApiObject): string => metadata?.uid ?? '';
export const nameOf = ({ metadata }: ApiObject): string => metadata?.name ?? '';
export const namespaceOf = ({ metadata }: ApiObject): string => metadata?.namespace ?? '';

export const isDeleting = ({ metadata }: ApiObject): boolean => metadata?.deletionTimestamp !== undefined;

export const hasFinalizer = ({ metadata }: ApiObject, finalizer: string): boolean =>
  metadata?.finalizers?.includes(finalizer) ?? false;

export const annotationOf = ({ metadata }: ApiObject, name: string): string | undefined =>
  metadata?.annotations?.[name];

/** The key of the object that is referred to, as keyOf() makes it. */
export const refKey = ({ namespace = '', name = '' }: ObjectReference): string =>
  keyOf({ metadata: { namespace, name } });

/** Whether the reference is to this very object, not to another one of its name. */
export const refersTo = (ref: ObjectReference, object: ApiObject): boolean =>
  refersByName(ref, object) && ref.uid === uidOf(object);

/** Whether the reference may be to this object: the UID may still be missing. */
export const mayReferTo = (ref: ObjectReference, object: ApiObject): boolean =>
  refersByName(ref, object) && (isUnset(ref.uid) || ref.uid === uidOf(object));

export const isUnset = (text: string | undefined): text is '' | undefined =>
  text === undefined || text === '';

const refersByName = ({ name, namespace }: ObjectReference, object: ApiObject): boolean =>
  name === nameOf(object) && namespace === namespaceOf(object);
