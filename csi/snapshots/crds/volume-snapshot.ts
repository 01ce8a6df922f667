import type { CustomResourceDefinition } from '../../../api/types.ts';
import { ageColumn, column, crd, exactlyOneOf, flag, immutable, lastError, notEmpty } from './schema.ts';
import { object, requiredOnceSet, rootObject, rules, text, time } from './schema.ts';

const source = object(
  'Where the snapshot comes from: a claim to be snapshotted, or a snapshot that exists. Never changes.',
  {
    persistentVolumeClaimName: text(
      'A claim in the namespace of this object. A snapshot of its volume is taken.',
      rules(immutable('persistentVolumeClaimName')),
    ),
    volumeSnapshotContentName: text(
      'A VolumeSnapshotContent that stands for a snapshot which the storage system has already.',
      rules(immutable('volumeSnapshotContentName')),
    ),
  },
  rules(
    requiredOnceSet('persistentVolumeClaimName'),
    requiredOnceSet('volumeSnapshotContentName'),
    exactlyOneOf('volumeSnapshotContentName', 'persistentVolumeClaimName'),
  ),
);

const spec = object(
  'What snapshot is wanted.',
  {
    source,
    volumeSnapshotClassName: text(
      'The VolumeSnapshotClass to use. When not set, the default class of the CSI driver of the source is used; ' +
        'having several defaults for one driver is an error.',
      rules(notEmpty('volumeSnapshotClassName')),
    ),
  },
  { required: ['source'] },
);

const quantity =
  '^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$';

const status = object(
  'How far the snapshot is. Trust it only after having checked that this object and its VolumeSnapshotContent point at each other.',
  {
    boundVolumeSnapshotContentName: text(
      'The VolumeSnapshotContent that this object is bound to, or means to be: it must point back.',
    ),
    creationTime: time('When the storage system took the snapshot.'),
    error: lastError('The last error, kept until it is overcome; the work is tried again by itself.'),
    readyToUse: flag('The snapshot can be restored. Not set: not known.'),
    restoreSize: {
      description:
        'The smallest size of a volume made from this snapshot; a smaller one is refused. Not set: not known.',
      type: 'string',
      pattern: quantity,
      'x-kubernetes-int-or-string': true,
    },
    volumeGroupSnapshotName: text('The VolumeGroupSnapshot that this snapshot is part of.'),
  },
);

/** `VolumeSnapshot`: what a user asks for (client/apis/volumesnapshot/v1 of external-snapshotter). */
export const volumeSnapshotCrd: CustomResourceDefinition = crd({
  group: 'snapshot.storage.k8s.io',
  kind: 'VolumeSnapshot',
  plural: 'volumesnapshots',
  shortNames: ['vs'],
  scope: 'Namespaced',
  approved: 'https://github.com/kubernetes-csi/external-snapshotter/pull/814',
  versions: [
    {
      name: 'v1',
      served: true,
      storage: true,
      subresources: { status: {} },
      additionalPrinterColumns: [
        column('ReadyToUse', 'boolean', '.status.readyToUse', 'Whether the snapshot can be restored.'),
        column('SourcePVC', 'string', '.spec.source.persistentVolumeClaimName', 'The claim it is taken of.'),
        column(
          'SourceSnapshotContent',
          'string',
          '.spec.source.volumeSnapshotContentName',
          'The content of a snapshot that existed before.',
        ),
        column('RestoreSize', 'string', '.status.restoreSize', 'The smallest size of a restored volume.'),
        column('SnapshotClass', 'string', '.spec.volumeSnapshotClassName', 'The VolumeSnapshotClass.'),
        column(
          'SnapshotContent',
          'string',
          '.status.boundVolumeSnapshotContentName',
          'The VolumeSnapshotContent; check that it points back before you use it.',
        ),
        column('CreationTime', 'date', '.status.creationTime', 'When the storage system took it.'),
        ageColumn,
      ],
      schema: rootObject('VolumeSnapshot asks for a snapshot of a volume at one moment.', { spec, status }, [
        'spec',
      ]),
    },
  ],
});
