import type { ApiObject, Column, Kind } from '../kind.ts';
import { age } from './age.ts';

/** What kinds without columns of their own show (upstream: rest.NewDefaultTableConvertor). */
const DEFAULT_COLUMNS: Column[] = [
  {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: 'Name must be unique within a namespace.',
    cell: ({ metadata }) => metadata.name,
  },
  {
    name: 'Created At',
    type: 'date',
    description:
      'CreationTimestamp is a timestamp representing the server time when this object was created.',
    cell: ({ metadata }) => metadata.creationTimestamp,
  },
];

/** The name column that every table begins with. */
export const NAME_COLUMN: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically.',
  cell: ({ metadata }) => metadata.name ?? '',
};

/** The age column that most tables have. */
export const AGE_COLUMN: Column = {
  name: 'Age',
  type: 'string',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is represented in RFC3339 form and is in UTC.',
  cell: ({ metadata }) => age(metadata.creationTimestamp),
};

/** The head of a kind's table (meta.k8s.io/v1 TableColumnDefinition). */
export const columnDefinitions = (kind: Kind) =>
  (kind.columns ?? DEFAULT_COLUMNS).map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? '',
    description,
    priority: priority ?? 0,
  }));

/** One row of a kind's table. `includeObject`: None, Metadata (default) or Object; `apiVersion` is the table's. */
export function rowOf(
  kind: Kind,
  object: ApiObject,
  { includeObject, apiVersion }: { includeObject: string; apiVersion: string },
) {
  const cells = (kind.columns ?? DEFAULT_COLUMNS).map((column) => column.cell(object));
  if (includeObject === 'None') return { cells };
  if (includeObject === 'Object') return { cells, object };
  const { metadata } = object;
  return { cells, object: { kind: 'PartialObjectMetadata', apiVersion, metadata } };
}
