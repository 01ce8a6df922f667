import type { FieldError } from '../../validation/field-error.ts';
import { forbidden } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { checkPattern } from './pattern.ts';

/** What may not stand inside allOf, anyOf, oneOf and not, and how upstream says so. */
const FORBIDDEN: [field: keyof StructuralSchema, expected: string, isSet: (value: unknown) => boolean][] = [
  ['type', 'empty', (value) => value !== ''],
  ['additionalProperties', 'undefined', () => true],
  ['default', 'undefined', () => true],
  ['title', 'empty', (value) => value !== ''],
  ['description', 'empty', (value) => value !== ''],
  ['nullable', 'false', (value) => value === true],
  ['x-kubernetes-preserve-unknown-fields', 'false', (value) => value === true],
  ['x-kubernetes-embedded-resource', 'false', (value) => value === true],
  ['x-kubernetes-int-or-string', 'false', (value) => value === true],
  ['x-kubernetes-list-map-keys', 'empty', isFilled],
  ['x-kubernetes-list-type', 'undefined', () => true],
  ['x-kubernetes-map-type', 'undefined', () => true],
  ['x-kubernetes-validations', 'empty', isFilled],
];

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** Checks a schema that only restricts values (upstream: pkg/apiserver/schema/validation.go validateNestedValueValidation). */
export function checkNested(schema: StructuralSchema, path: string): FieldError[] {
  const { allOf = [], anyOf = [], oneOf = [], not, items, properties = {} } = schema;
  const many = (field: string, list: StructuralSchema[]) =>
    list.flatMap((nested, index) => checkNested(nested, `${path}.${field}[${index}]`));
  return [
    ...many('anyOf', anyOf),
    ...many('allOf', allOf),
    ...many('oneOf', oneOf),
    ...(not === undefined ? [] : checkNested(not, `${path}.not`)),
    ...checkPattern(schema, path),
    ...(items === undefined ? [] : checkNested(items, `${path}.items`)),
    ...Object.entries(properties).flatMap(([name, property]) =>
      checkNested(property, `${path}.properties[${name}]`),
    ),
    ...FORBIDDEN.filter(([field, , isSet]) => schema[field] !== undefined && isSet(schema[field])).map(
      ([field, expected]) => forbidden(`${path}.${field}`, `must be ${expected} to be structural`),
    ),
    ...(properties['metadata'] === undefined
      ? []
      : [forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context')]),
  ];
}
