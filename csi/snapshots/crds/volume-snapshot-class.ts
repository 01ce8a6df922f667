import type { CustomResourceDefinition } from '../../../api/types.ts';
import { ageColumn, column, crd, deletionPolicy, rootObject, text, textMap } from './schema.ts';

/** `VolumeSnapshotClass`: how snapshots are made (client/apis/volumesnapshot/v1 of external-snapshotter). */
export const volumeSnapshotClassCrd: CustomResourceDefinition = crd({
  group: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshotClass',
  plural: 'volumesnapshotclasses',
  shortNames: ['vsclass', 'vsclasses'],
  scope: 'Cluster',
  approved: 'https://github.com/kubernetes-csi/external-snapshotter/pull/814',
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      subresources: {},
      additionalPrinterColumns: [
        column('Driver', 'string', '.driver'),
        column(
          'DeletionPolicy',
          'string',
          '.deletionPolicy',
          'What becomes of a snapshot when its VolumeSnapshot is deleted.',
        ),
        ageColumn,
      ],
      schema: rootObject(
        'VolumeSnapshotClass says how the snapshots that name it are made.',
        {
          deletionPolicy: deletionPolicy(
            'What becomes of a snapshot when its VolumeSnapshot is deleted: Delete takes it from the storage ' +
              'system, Retain keeps it with its VolumeSnapshotContent.',
          ),
          driver: text('The CSI driver that makes the snapshots.'),
          parameters: textMap(
            'For the driver alone; Kubernetes only knows the keys below csi.storage.k8s.io/.',
          ),
        },
        ['deletionPolicy', 'driver'],
      ),
    },
  ],
});
