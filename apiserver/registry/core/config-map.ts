import type { ConfigMap } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn } from '../printers/columns.ts';

const size = (map: object | undefined): number => Object.keys(map ?? {}).length;

export const configMap = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  namespaced: true,
  verbs: ALL_VERBS,
  columns: [
    nameColumn(),
    {
      name: 'Data',
      type: 'string',
      description: 'Data contains the configuration data.',
      cell: ({ data, binaryData }) => size(data) + size(binaryData),
    },
    ageColumn(),
  ],
  strategy: {},
});
