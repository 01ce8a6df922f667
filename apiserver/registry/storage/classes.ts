import { isDefaultClass } from '../../../api/storage/storage-class.ts';
import type { StorageClass, VolumeAttributesClass } from '../../../api/types.ts';
import { deprecationOf } from '../deprecated-labels.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';
import { fieldDescription } from '../printers/field-description.ts';

const CLASS = 'storage.v1.StorageClass';
export const storageClass = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  namespaced: false,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    {
      ...nameColumn<StorageClass>(),
      cell: (object) =>
        `${object.metadata?.name ?? ''}${isDefaultClass(object.metadata) ? ' (default)' : ''}`,
    },
    text('Provisioner', fieldDescription(CLASS, 'provisioner'), ({ provisioner }) => provisioner ?? ''),
    text(
      'ReclaimPolicy',
      fieldDescription(CLASS, 'reclaimPolicy'),
      ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete',
    ),
    text(
      'VolumeBindingMode',
      fieldDescription(CLASS, 'volumeBindingMode'),
      ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    ),
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: fieldDescription(CLASS, 'allowVolumeExpansion'),
      cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn(),
  ],
  strategy: {
    warnings: ({ allowedTopologies }) =>
      (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, term) =>
        (matchLabelExpressions ?? []).flatMap(({ key }, index) => {
          const words = deprecationOf(key);
          const path = `allowedTopologies[${term}].matchLabelExpressions[${index}].key`;
          return words === undefined ? [] : [`${path}: ${words}`];
        }),
      ),
  },
});

export const volumeAttributesClass = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  namespaced: false,
  verbs: ALL_VERBS,
  returnsDeletedObject: true,
  columns: [
    nameColumn(),
    text(
      'DriverName',
      fieldDescription('storage.v1.VolumeAttributesClass', 'driverName'),
      ({ driverName }) => driverName ?? '',
    ),
    ageColumn(),
  ],
  strategy: {},
});
