import type { CSIDriver, StorageClass } from '../api/types.ts';
import { isAlreadyExists } from '../client/errors.ts';
import { LOOP_DISK } from '../csi/drivers/loop-disk/vendor.ts';
import { installSnapshotCrds } from '../csi/snapshots/install-crds.ts';
import { localProvisionerBindings, localProvisionerRole } from '../csi/local-provisioner/permissions.ts';
import type { ApiObject, ResourceId } from '../client/objects.ts';
import { clusterRoleBindings, clusterRoles, csiDrivers, storageClasses } from '../client/resources.ts';
import type { Client } from '../client/rest.ts';

/** Names that in-tree volumes are translated to; the same driver serves them. */
const MIGRATED = ['pd.csi.storage.gke.io', 'ebs.csi.aws.com'];
/** All names that the loop-disk driver is served by. */
export const LOOP_DISK_NAMES = [LOOP_DISK, ...MIGRATED];

const csiDriver = (name: string): CSIDriver => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSIDriver',
  metadata: { name },
  spec: {
    attachRequired: true,
    podInfoOnMount: false,
    fsGroupPolicy: 'File',
    storageCapacity: name === LOOP_DISK,
    volumeLifecycleModes: ['Persistent'],
  },
});

/** The class of a claim that names none. */
const standard: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: {
    name: 'standard',
    annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
  },
  provisioner: LOOP_DISK,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
};

interface VolumeSnapshotClass extends ApiObject {
  driver: string;
  deletionPolicy: 'Delete' | 'Retain';
}
const volumeSnapshotClasses: ResourceId<VolumeSnapshotClass> = {
  group: 'snapshot.storage.k8s.io',
  version: 'v1',
  resource: 'volumesnapshotclasses',
};

/** The class of a VolumeSnapshot that names none. */
const standardSnapshots: VolumeSnapshotClass = {
  apiVersion: 'snapshot.storage.k8s.io/v1',
  kind: 'VolumeSnapshotClass',
  metadata: {
    name: 'standard',
    annotations: { 'snapshot.storage.kubernetes.io/is-default-class': 'true' },
  },
  driver: LOOP_DISK,
  deletionPolicy: 'Delete',
};

const volumeGroupSnapshotClasses: ResourceId<VolumeSnapshotClass> = {
  group: 'groupsnapshot.storage.k8s.io',
  version: 'v1',
  resource: 'volumegroupsnapshotclasses',
};

/** The class of a VolumeGroupSnapshot that names none. */
const standardGroupSnapshots: VolumeSnapshotClass = {
  apiVersion: 'groupsnapshot.storage.k8s.io/v1',
  kind: 'VolumeGroupSnapshotClass',
  metadata: {
    name: 'standard',
    annotations: { 'groupsnapshot.storage.kubernetes.io/is-default-class': 'true' },
  },
  driver: LOOP_DISK,
  deletionPolicy: 'Delete',
};

/**
 * Makes the storage objects that a cluster begins with, as its administrator: classes, CSIDrivers, the custom resources of snapshots. What is
 * there stays as it is; what was deleted is back after the next `up`. Rejects with ConnectionError while the API server is not there.
 */
export async function makeStorageObjects(client: Client): Promise<void> {
  await Promise.all([
    installSnapshotCrds({ client }).then(async () => {
      await ensure(client, volumeSnapshotClasses, standardSnapshots);
      await ensure(client, volumeGroupSnapshotClasses, standardGroupSnapshots);
    }),
    ...LOOP_DISK_NAMES.map((name) => ensure(client, csiDrivers, csiDriver(name))),
    ensure(client, storageClasses, standard),
    ensure(client, clusterRoles, localProvisionerRole),
    ...localProvisionerBindings.map((binding) => ensure(client, clusterRoleBindings, binding)),
  ]);
}

async function ensure<T extends ApiObject>(
  client: Client,
  resource: ResourceId<T>,
  object: T,
): Promise<void> {
  try {
    await client.resource(resource).create({ object });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
}
