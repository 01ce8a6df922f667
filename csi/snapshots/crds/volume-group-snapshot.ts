import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../../api/types.ts';
import {
  ageColumn,
  column,
  crd,
  exactlyOneOf,
  flag,
  immutable,
  lastError,
  list,
  notEmpty,
} from './schema.ts';
import { object, requiredOnceSet, rootObject, rules, text, textMap, time } from './schema.ts';

const atomicList = { 'x-kubernetes-list-type': 'atomic' };

const selector = object(
  'Claims with these labels, in the namespace of this object, are snapshotted together. Which ones is decided ' +
    'once; labels that change later change nothing.',
  {
    matchExpressions: list(
      'All of these must hold.',
      object(
        'One condition on a label.',
        {
          key: text('The key of the label.'),
          operator: text('In, NotIn, Exists or DoesNotExist.'),
          values: list('For In and NotIn: the values.', { type: 'string' }, atomicList),
        },
        { required: ['key', 'operator'] },
      ),
      atomicList,
    ),
    matchLabels: textMap('All of these labels must be there with these values.'),
  },
  { 'x-kubernetes-map-type': 'atomic', ...rules(immutable('selector')) },
);

const spec = object(
  'What group snapshot is wanted.',
  {
    source: object(
      'Which claims, or which group snapshot that exists. Never changes.',
      {
        selector,
        volumeGroupSnapshotContentName: text(
          'A VolumeGroupSnapshotContent that stands for a group snapshot which the storage system has already.',
          rules(immutable('volumeGroupSnapshotContentName')),
        ),
      },
      rules(
        requiredOnceSet('selector'),
        requiredOnceSet('volumeGroupSnapshotContentName'),
        exactlyOneOf('selector', 'volumeGroupSnapshotContentName'),
      ),
    ),
    volumeGroupSnapshotClassName: text(
      'The VolumeGroupSnapshotClass to use. When not set, the default class of the CSI driver is used.',
      rules(notEmpty('volumeGroupSnapshotClassName')),
    ),
  },
  { required: ['source'] },
);

const status = (boundName: JSONSchemaProps): JSONSchemaProps =>
  object(
    'How far the group snapshot is. Trust it only after having checked that this object and its ' +
      'VolumeGroupSnapshotContent point at each other.',
    {
      boundVolumeGroupSnapshotContentName: text(
        'The VolumeGroupSnapshotContent that this object is bound to, or means to be: it must point back.',
        boundName,
      ),
      creationTime: time('When the storage system took the group snapshot.'),
      error: lastError('The last error, kept until it is overcome; the work is tried again by itself.'),
      readyToUse: flag('All snapshots of the group can be restored. Not set: not known.'),
    },
  );

const version = (
  name: string,
  boundName: JSONSchemaProps,
): Omit<CustomResourceDefinitionVersion, 'storage'> => ({
  name,
  served: true,
  subresources: { status: {} },
  additionalPrinterColumns: [
    column('ReadyToUse', 'boolean', '.status.readyToUse', 'Whether all its snapshots can be restored.'),
    column('VolumeGroupSnapshotClass', 'string', '.spec.volumeGroupSnapshotClassName', 'The class.'),
    column(
      'VolumeGroupSnapshotContent',
      'string',
      '.status.boundVolumeGroupSnapshotContentName',
      'The VolumeGroupSnapshotContent; check that it points back before you use it.',
    ),
    column('CreationTime', 'date', '.status.creationTime', 'When the storage system took it.'),
    ageColumn,
  ],
  schema: rootObject(
    'VolumeGroupSnapshot asks for a snapshot of several volumes at the same moment.',
    { spec, status: status(boundName) },
    ['spec'],
  ),
});

const boundOnce = rules(immutable('boundVolumeGroupSnapshotContentName', 'is immutable once set'));

/** `VolumeGroupSnapshot` (client/apis/volumegroupsnapshot of external-snapshotter; stored as v1beta2 there too). */
export const volumeGroupSnapshotCrd: CustomResourceDefinition = crd({
  group: 'groupsnapshot.storage.k8s.io',
  kind: 'VolumeGroupSnapshot',
  plural: 'volumegroupsnapshots',
  shortNames: ['vgs'],
  scope: 'Namespaced',
  approved: 'https://github.com/kubernetes-csi/external-snapshotter/pull/1337',
  versions: [
    { ...version('v1', boundOnce), storage: false },
    { ...version('v1beta1', {}), deprecated: true, storage: false },
    { ...version('v1beta2', boundOnce), storage: true },
  ],
});
