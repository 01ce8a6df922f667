import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
  ValidationRule,
} from '../../../api/types.ts';
import { ageColumn, column, crd, deletionPolicy, exactlyOneOf, flag, immutable, int64 } from './schema.ts';
import { lastError, list, object, objectReference, requiredOnceSet, rootObject, rules } from './schema.ts';
import { text, time } from './schema.ts';

const handles = { type: 'string' };

const source = object(
  'The volumes that are snapshotted together, or the group snapshot that exists already. Never changes.',
  {
    groupSnapshotHandles: object(
      'A group snapshot that the storage system has already.',
      {
        volumeGroupSnapshotHandle: text('Its CSI group_snapshot_id.'),
        volumeSnapshotHandles: list('The CSI snapshot_id of each of its snapshots.', handles),
      },
      {
        required: ['volumeGroupSnapshotHandle', 'volumeSnapshotHandles'],
        ...rules(immutable('groupSnapshotHandles')),
      },
    ),
    volumeHandles: list('The CSI volume_id of each volume.', handles, rules(immutable('volumeHandles'))),
  },
  rules(
    requiredOnceSet('volumeHandles'),
    requiredOnceSet('groupSnapshotHandles'),
    exactlyOneOf('volumeHandles', 'groupSnapshotHandles'),
  ),
);

const nameAndNamespace: ValidationRule = {
  message: 'both volumeGroupSnapshotRef.name and volumeGroupSnapshotRef.namespace must be set',
  rule: 'has(self.name) && has(self.__namespace__)',
};

const neverAnother: ValidationRule[] = [
  {
    message: 'volumeGroupSnapshotRef.name and volumeGroupSnapshotRef.namespace are immutable',
    rule: 'self.name == oldSelf.name && self.__namespace__ == oldSelf.__namespace__',
  },
  {
    message: 'volumeGroupSnapshotRef.uid is immutable once set',
    rule: '!has(oldSelf.uid) || (has(self.uid) && self.uid == oldSelf.uid)',
  },
];

/** What v1beta1 did not yet have: fields that stay as they are once set. */
type Strictness = 'lenient' | 'strict';

const once = (field: string, strictness: Strictness): JSONSchemaProps =>
  strictness === 'strict' ? rules(immutable(field, 'is immutable once set')) : {};

const spec = (strictness: Strictness): JSONSchemaProps =>
  object(
    'Which group snapshot this is, and whose.',
    {
      deletionPolicy: deletionPolicy(
        'What becomes of the snapshots on the storage system when the VolumeGroupSnapshot is deleted: Delete ' +
          'takes them away together with this object, Retain keeps both.',
      ),
      driver: text('The name of the CSI driver.', once('driver', strictness)),
      source,
      volumeGroupSnapshotClassName: text(
        'The VolumeGroupSnapshotClass that it was made with. The class may have changed or gone since then.',
        once('volumeGroupSnapshotClassName', strictness),
      ),
      volumeGroupSnapshotRef: objectReference('The VolumeGroupSnapshot that this content belongs to.', [
        nameAndNamespace,
        ...(strictness === 'strict' ? neverAnother : []),
      ]),
    },
    { required: ['deletionPolicy', 'driver', 'source', 'volumeGroupSnapshotRef'] },
  );

const snapshotHandle = text('The CSI snapshot_id.');
const volumeHandle = text('The CSI volume_id of the volume that it was taken of.');

/** Each snapshot of the group; v1beta1 knew only the pairs of handles. */
const members: Record<Strictness, Record<string, JSONSchemaProps>> = {
  lenient: {
    volumeSnapshotHandlePairList: list(
      'Which snapshot was taken of which volume.',
      object(
        'One snapshot of the group.',
        { snapshotHandle, volumeHandle },
        { required: ['snapshotHandle', 'volumeHandle'] },
      ),
    ),
  },
  strict: {
    volumeSnapshotInfoList: list(
      'What the storage system says of each snapshot of the group.',
      object('One snapshot of the group.', {
        creationTime: int64('When it was taken, in nanoseconds since 1970-01-01 UTC.'),
        readyToUse: flag('It can be restored.'),
        restoreSize: int64('The smallest size of a restored volume, in bytes.'),
        snapshotHandle,
        volumeHandle,
      }),
    ),
  },
};

const status = (strictness: Strictness): JSONSchemaProps =>
  object('What the storage system says of the group snapshot.', {
    creationTime: time('When it was taken.'),
    error: lastError('The last error while it was made; taken away when a later try goes well.'),
    readyToUse: flag('All snapshots of the group can be restored. Not set: not known.'),
    volumeGroupSnapshotHandle: text(
      'The CSI group_snapshot_id. Not set: not made yet, or it failed.',
      once('volumeGroupSnapshotHandle', strictness),
    ),
    ...members[strictness],
  });

const version = (name: string, strictness: Strictness): Omit<CustomResourceDefinitionVersion, 'storage'> => ({
  name,
  served: true,
  subresources: { status: {} },
  additionalPrinterColumns: [
    column('ReadyToUse', 'boolean', '.status.readyToUse', 'Whether all its snapshots can be restored.'),
    column('DeletionPolicy', 'string', '.spec.deletionPolicy', 'Delete or Retain.'),
    column('Driver', 'string', '.spec.driver', 'The CSI driver.'),
    column('VolumeGroupSnapshotClass', 'string', '.spec.volumeGroupSnapshotClassName', 'The class.'),
    column(
      'VolumeGroupSnapshotNamespace',
      'string',
      '.spec.volumeGroupSnapshotRef.namespace',
      'The namespace of the VolumeGroupSnapshot.',
    ),
    column('VolumeGroupSnapshot', 'string', '.spec.volumeGroupSnapshotRef.name', 'The VolumeGroupSnapshot.'),
    ageColumn,
  ],
  schema: rootObject(
    'VolumeGroupSnapshotContent stands for a group snapshot on a storage system.',
    { spec: spec(strictness), status: status(strictness) },
    ['spec'],
  ),
});

/** `VolumeGroupSnapshotContent` (client/apis/volumegroupsnapshot of external-snapshotter). */
export const volumeGroupSnapshotContentCrd: CustomResourceDefinition = crd({
  group: 'groupsnapshot.storage.k8s.io',
  kind: 'VolumeGroupSnapshotContent',
  plural: 'volumegroupsnapshotcontents',
  shortNames: ['vgsc', 'vgscs'],
  scope: 'Cluster',
  approved: 'https://github.com/kubernetes-csi/external-snapshotter/pull/1337',
  versions: [
    { ...version('v1', 'strict'), storage: false },
    { ...version('v1beta1', 'lenient'), deprecated: true, storage: false },
    { ...version('v1beta2', 'strict'), storage: true },
  ],
});
