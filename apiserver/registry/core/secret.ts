import type { Secret } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';

export const secret = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  singular: 'secret',
  namespaced: true,
  verbs: ALL_VERBS,
  encrypted: true,
  columns: [
    nameColumn(),
    text('Type', 'Used to facilitate programmatic handling of secret data.', ({ type }) => type ?? ''),
    {
      name: 'Data',
      type: 'string',
      description: 'Data contains the secret data.',
      cell: ({ data }) => Object.keys(data ?? {}).length,
    },
    ageColumn(),
  ],
  strategy: {},
  selectableFields: ({ type }) => ({ type: type ?? '' }),
});
