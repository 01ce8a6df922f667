import { parseJsonPath } from '../../api/json-path.ts';
import type { CustomResourceColumnDefinition } from '../../api/types.ts';
import type { ApiObject, Column } from '../registry/kind.ts';
import { age } from '../registry/printers/age.ts';

const NAME: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description:
    'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names',
  cell: ({ metadata }) => metadata.name ?? '',
};

/** What a version without columns of its own shows. */
const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  description:
    'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
  jsonPath: '.metadata.creationTimestamp',
};

/** The columns of a custom resource's table (upstream: registry/customresource/tableconvertor). */
export function customColumns(columns: CustomResourceColumnDefinition[] | undefined): Column[] {
  const shown = columns === undefined || columns.length === 0 ? [AGE] : columns;
  return [NAME, ...shown.map(columnOf)];
}

function columnOf(definition: CustomResourceColumnDefinition): Column {
  const { name, type, format, description, priority, jsonPath } = definition;
  const path = parseJsonPath(jsonPath);
  return {
    name,
    type: type as Column['type'],
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    ...(format !== undefined && { format }),
    ...(priority !== undefined && { priority }),
    cell: (object: ApiObject) => cellOf(type, path(object)[0]),
  };
}

/** A value of another type than the column's is not shown. */
function cellOf(type: string, value: unknown): unknown {
  if (value === undefined) return null;
  switch (type) {
    case 'string':
      return printed(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? dateCell(value) : null;
    default:
      return null;
  }
}

/** As kubectl's jsonpath prints it: text as it is, lists and maps as JSON. */
function printed(value: unknown): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}

const dateCell = (text: string): string => (Number.isNaN(Date.parse(text)) ? '<invalid>' : age(text));
