import type { ApiObject, ResourceId } from '../../client/objects.ts';
import type {
  VolumeGroupSnapshot,
  VolumeGroupSnapshotClass,
  VolumeGroupSnapshotContent,
  VolumeSnapshot,
  VolumeSnapshotClass,
  VolumeSnapshotContent,
} from './types.ts';

export const snapshotGroup = 'snapshot.storage.k8s.io';
export const groupSnapshotGroup = 'groupsnapshot.storage.k8s.io';

const snapshot = <T extends ApiObject>(resource: string): ResourceId<T> => ({
  group: snapshotGroup,
  version: 'v1',
  resource,
});

const groupSnapshot = <T extends ApiObject>(resource: string): ResourceId<T> => ({
  group: groupSnapshotGroup,
  version: 'v1',
  resource,
});

/** The custom resources of snapshots, as a client names them. */
export const volumeSnapshots = snapshot<VolumeSnapshot>('volumesnapshots');
export const volumeSnapshotContents = snapshot<VolumeSnapshotContent>('volumesnapshotcontents');
export const volumeSnapshotClasses = snapshot<VolumeSnapshotClass>('volumesnapshotclasses');
export const volumeGroupSnapshots = groupSnapshot<VolumeGroupSnapshot>('volumegroupsnapshots');
export const volumeGroupSnapshotContents = groupSnapshot<VolumeGroupSnapshotContent>(
  'volumegroupsnapshotcontents',
);
export const volumeGroupSnapshotClasses = groupSnapshot<VolumeGroupSnapshotClass>(
  'volumegroupsnapshotclasses',
);
