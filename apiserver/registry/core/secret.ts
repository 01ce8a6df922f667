import type { Secret } from '../../../api/types.ts';
import { ALL_VERBS, defineKind } from '../kind.ts';
import { ageColumn, nameColumn, text } from '../printers/columns.ts';

/** stringData is written only: it goes into data (upstream: core/v1 Convert_v1_Secret_To_core_Secret). */
function mergeStringData(secret: Secret): void {
  if (secret.stringData === undefined) return;
  const encoded = Object.entries(secret.stringData).map(([key, value]) => [
    key,
    Buffer.from(value).toString('base64'),
  ]);
  secret.data = { ...secret.data, ...(Object.fromEntries(encoded) as Record<string, string>) };
  delete secret.stringData;
}

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
  strategy: {
    prepareForCreate: mergeStringData,
    prepareForUpdate: (object, old) => {
      mergeStringData(object);
      object.type ||= old.type ?? 'Opaque';
    },
  },
  selectableFields: ({ type }) => ({ type: type ?? '' }),
});
