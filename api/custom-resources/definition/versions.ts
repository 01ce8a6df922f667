import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  SelectableField,
} from '../../types.ts';
import { byteLength } from '../../names.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { duplicate, invalid, required, tooMany } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import type { FieldPath } from './field-path.ts';
import { readFieldPath } from './field-path.ts';

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const SELECTABLE_FIELDS_LIMIT = 8;

/** One column of the tables that kubectl prints. */
export function checkColumn(column: Partial<CustomResourceColumnDefinition>, path: string): FieldError[] {
  const { name = '', type = '', format = '', jsonPath = '' } = column;
  const types = `must be one of ${COLUMN_TYPES.join(',')}`;
  return [
    ...(name === '' ? [required(`${path}.name`)] : []),
    ...(type === '' ? [required(`${path}.type`, types)] : []),
    ...(type !== '' && !COLUMN_TYPES.includes(type) ? [invalid(`${path}.type`, type, types)] : []),
    ...(format !== '' && !COLUMN_FORMATS.includes(format)
      ? [invalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`)]
      : []),
    ...(jsonPath === '' ? [required(`${path}.JSONPath`)] : checkSimplePath(jsonPath, `${path}.JSONPath`)),
  ];
}

const checkSimplePath = (path: string, field: string): FieldError[] =>
  path.startsWith('.') ? [] : [invalid(field, path, 'must be a simple json path starting with .')];

/** The paths of the scale subresource. */
export function checkSubresources(
  subresources: CustomResourceSubresources | undefined,
  path: string,
): FieldError[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const {
    specReplicasPath = '',
    statusReplicasPath = '',
    labelSelectorPath = '',
  } = scale as Partial<typeof scale>;
  return [
    ...checkScalePath(specReplicasPath, `${path}.scale.specReplicasPath`, ['.spec.']),
    ...checkScalePath(statusReplicasPath, `${path}.scale.statusReplicasPath`, ['.status.']),
    ...(labelSelectorPath === ''
      ? []
      : checkScalePath(labelSelectorPath, `${path}.scale.labelSelectorPath`, ['.spec.', '.status.'])),
  ];
}

function checkScalePath(path: string, field: string, roots: string[]): FieldError[] {
  if (path === '') return [required(field)];
  const errors = checkSimplePath(path, field);
  if (errors.length > 0 || roots.some((root) => path.startsWith(root))) return errors;
  const names = roots.map((root) => root.slice(0, -1)).join(' or ');
  return [invalid(field, path, `should be a json path under ${roots.length > 1 ? 'either ' : ''}${names}`)];
}

/** The fields that selectors may name: scalars outside of metadata, each once, at most eight. */
export function checkSelectableFields(
  fields: SelectableField[],
  schema: StructuralSchema,
  path: string,
): FieldError[] {
  const known = new Set<string>();
  const errors = fields.flatMap(({ jsonPath = '' }: Partial<SelectableField>, index) => {
    const field = `${path}[${index}].jsonPath`;
    if (jsonPath === '') return [required(field)];
    const found = findField(jsonPath, schema);
    if (typeof found === 'string') return [invalid(field, jsonPath, `is an invalid path: ${found}`)];
    const key = found.steps.join('.');
    const isKnown = known.has(key);
    known.add(key);
    return [...checkSelectable(found, jsonPath, field), ...(isKnown ? [duplicate(field, jsonPath)] : [])];
  });
  if (known.size <= SELECTABLE_FIELDS_LIMIT) return errors;
  return [...errors, tooMany(path, known.size, SELECTABLE_FIELDS_LIMIT)];
}

function findField(jsonPath: string, schema: StructuralSchema): FieldPath | string {
  try {
    return readFieldPath(jsonPath, schema, { arrayNotation: false });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function checkSelectable({ steps, schema }: FieldPath, jsonPath: string, field: string): FieldError[] {
  const isScalar = ['string', 'boolean', 'integer'].includes(schema.type ?? '');
  const scalars =
    'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
  return [
    ...(steps[0] === 'metadata' ? [invalid(field, jsonPath, 'must not point to fields in metadata')] : []),
    ...(isScalar ? [] : [invalid(field, jsonPath, scalars)]),
  ];
}

/** What clients of a deprecated version are told. */
export function checkDeprecation(
  { deprecated, deprecationWarning }: CustomResourceDefinitionVersion,
  path: string,
): FieldError[] {
  if (deprecationWarning === undefined) return [];
  const field = `${path}.deprecationWarning`;
  const wrong = (detail: string) => invalid(field, deprecationWarning, detail);
  if (deprecated !== true) return [wrong('can only be set for deprecated versions')];
  const odd = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.exec(deprecationWarning);
  const found = 'must only contain printable UTF-8 characters; non-printable character found at index';
  return [
    ...(byteLength(deprecationWarning) > 256 ? [wrong('must be <= 256 characters long')] : []),
    ...(deprecationWarning === '' ? [wrong('must not be an empty string')] : []),
    ...(odd === null ? [] : [wrong(`${found} ${odd.index}`)]),
  ];
}
