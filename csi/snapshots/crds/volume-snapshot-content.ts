import type { CustomResourceDefinition } from '../../../api/types.ts';
import { ageColumn, column, crd, deletionPolicy, exactlyOneOf, flag, immutable, int64 } from './schema.ts';
import { lastError, object, objectReference, requiredOnceSet, rootObject, rules, text } from './schema.ts';

const source = object(
  'The volume that the snapshot is taken of, or the snapshot that exists already. Never changes.',
  {
    snapshotHandle: text(
      'The CSI snapshot_id of a snapshot that the storage system has already.',
      rules(immutable('snapshotHandle')),
    ),
    volumeHandle: text(
      'The CSI volume_id of the volume that a snapshot is to be taken of.',
      rules(immutable('volumeHandle')),
    ),
  },
  rules(
    requiredOnceSet('volumeHandle'),
    requiredOnceSet('snapshotHandle'),
    exactlyOneOf('volumeHandle', 'snapshotHandle'),
  ),
);

const spec = object(
  'Which snapshot this is, and whose.',
  {
    deletionPolicy: deletionPolicy(
      'What becomes of the snapshot on the storage system when the VolumeSnapshot is deleted: Delete takes it ' +
        'away together with this object, Retain keeps both.',
    ),
    driver: text('The name of the CSI driver, as its GetPluginInfo says it.'),
    source,
    sourceVolumeMode: text(
      'Filesystem or Block: the mode of the volume that the snapshot was taken of. Not set: not known.',
      rules(immutable('sourceVolumeMode')),
    ),
    volumeSnapshotClassName: text(
      'The VolumeSnapshotClass that it was made with. The class may have changed or gone since then.',
    ),
    volumeSnapshotRef: objectReference(
      'The VolumeSnapshot that this content belongs to, which must point back by name. Name and namespace are ' +
        'needed; the UID is filled in when an existing snapshot is bound.',
      [
        {
          message: 'both spec.volumeSnapshotRef.name and spec.volumeSnapshotRef.namespace must be set',
          rule: 'has(self.name) && has(self.__namespace__)',
        },
      ],
    ),
  },
  {
    required: ['deletionPolicy', 'driver', 'source', 'volumeSnapshotRef'],
    ...rules(requiredOnceSet('sourceVolumeMode')),
  },
);

const status = object('What the storage system says of the snapshot.', {
  creationTime: int64('When it was taken, in nanoseconds since 1970-01-01 UTC.'),
  error: lastError('The last error while it was made; taken away when a later try goes well.'),
  readyToUse: flag('The snapshot can be restored. Not set: not known.'),
  restoreSize: int64('The smallest size of a restored volume, in bytes. Not set: not known.', { minimum: 0 }),
  snapshotHandle: text('The CSI snapshot_id. Not set: not made yet, or it failed.'),
  volumeGroupSnapshotHandle: text('The CSI group_snapshot_id of the group that the snapshot is part of.'),
});

/** `VolumeSnapshotContent`: what the storage system has (client/apis/volumesnapshot/v1 of external-snapshotter). */
export const volumeSnapshotContentCrd: CustomResourceDefinition = crd({
  group: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshotContent',
  plural: 'volumesnapshotcontents',
  shortNames: ['vsc', 'vscs'],
  scope: 'Cluster',
  approved: 'https://github.com/kubernetes-csi/external-snapshotter/pull/955',
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
      additionalPrinterColumns: [
        column('ReadyToUse', 'boolean', '.status.readyToUse', 'Whether the snapshot can be restored.'),
        column('RestoreSize', 'integer', '.status.restoreSize', 'The smallest restored volume, in bytes.'),
        column('DeletionPolicy', 'string', '.spec.deletionPolicy', 'Delete or Retain.'),
        column('Driver', 'string', '.spec.driver', 'The CSI driver.'),
        column('VolumeSnapshotClass', 'string', '.spec.volumeSnapshotClassName', 'The VolumeSnapshotClass.'),
        column('VolumeSnapshot', 'string', '.spec.volumeSnapshotRef.name', 'The VolumeSnapshot it is of.'),
        column(
          'VolumeSnapshotNamespace',
          'string',
          '.spec.volumeSnapshotRef.namespace',
          'The namespace of the VolumeSnapshot.',
        ),
        ageColumn,
      ],
      schema: rootObject(
        'VolumeSnapshotContent stands for a snapshot on a storage system, as a PersistentVolume does for a volume.',
        { spec, status },
        ['spec'],
      ),
    },
  ],
});
