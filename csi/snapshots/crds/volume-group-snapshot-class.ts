import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../api/types.ts';
import {
  ageColumn,
  column,
  crd,
  deletionPolicy,
  immutable,
  rootObject,
  rules,
  text,
  textMap,
} from './schema.ts';

const version = (
  name: string,
  once: (field: string, verb?: string) => JSONSchemaProps,
): Omit<CustomResourceDefinitionVersion, 'storage'> => ({
  name,
  served: true,
  subresources: {},
  additionalPrinterColumns: [
    column('Driver', 'string', '.driver'),
    column(
      'DeletionPolicy',
      'string',
      '.deletionPolicy',
      'What becomes of the snapshots when their VolumeGroupSnapshot is deleted.',
    ),
    ageColumn,
  ],
  schema: rootObject(
    'VolumeGroupSnapshotClass says how the group snapshots that name it are made.',
    {
      deletionPolicy: deletionPolicy(
        'What becomes of the snapshots when their VolumeGroupSnapshot is deleted: Delete takes them from the ' +
          'storage system, Retain keeps them with their VolumeGroupSnapshotContent.',
        once('deletionPolicy'),
      ),
      driver: text('The CSI driver that makes the snapshots.', once('driver')),
      parameters: textMap(
        'For the driver alone; Kubernetes only knows the keys below csi.storage.k8s.io/.',
        once('parameters', 'are'),
      ),
    },
    ['deletionPolicy', 'driver'],
  ),
});

const strict = (field: string, verb = 'is') => rules(immutable(field, `${verb} immutable once set`));
const lenient = () => ({});

/** `VolumeGroupSnapshotClass` (client/apis/volumegroupsnapshot of external-snapshotter). */
export const volumeGroupSnapshotClassCrd: CustomResourceDefinition = crd({
  group: 'groupsnapshot.storage.k8s.io',
  kind: 'VolumeGroupSnapshotClass',
  plural: 'volumegroupsnapshotclasses',
  shortNames: ['vgsclass', 'vgsclasses'],
  scope: 'Cluster',
  approved: 'https://github.com/kubernetes-csi/external-snapshotter/pull/1337',
  versions: [
    { ...version('v1', strict), storage: false },
    { ...version('v1beta1', lenient), deprecated: true, storage: false },
    { ...version('v1beta2', strict), storage: true },
  ],
});
