import { isDeepStrictEqual } from 'node:util';
import type { FieldError } from '../../validation/field-error.ts';
import { fieldErrorText, forbidden, invalid, required } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { checkCompleteness } from './completeness.ts';
import { checkNested } from './nested.ts';
import { checkPattern } from './pattern.ts';

type Level = 'root' | 'item' | 'field';

/**
 * Checks that a schema is structural: each field's type is told outside of allOf, anyOf, oneOf and not, which only restrict values
 * (upstream: apiextensions-apiserver pkg/apiserver/schema/{validation,complete}.go).
 */
export function validateStructural(schema: StructuralSchema, path: string): FieldError[] {
  const errors = [...checkInvariants(schema, 'root', path), ...checkCompleteness(schema, path)];
  return errors.toSorted((a, b) => (fieldErrorText(a) < fieldErrorText(b) ? -1 : 1));
}

function checkInvariants(schema: StructuralSchema, level: Level, path: string): FieldError[] {
  const { items, properties = {}, additionalProperties } = schema;
  const ofMap = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  return [
    ...(schema.type === 'array' && items === undefined
      ? [required(`${path}.items`, 'must be specified')]
      : []),
    ...(items === undefined ? [] : checkInvariants(items, 'item', `${path}.items`)),
    ...Object.entries(properties).flatMap(([name, property]) =>
      checkInvariants(property, 'field', `${path}.properties[${name}]`),
    ),
    ...(additionalProperties !== undefined && level === 'root'
      ? [forbidden(`${path}.additionalProperties`, 'must not be used at the root')]
      : []),
    ...(ofMap === undefined ? [] : checkInvariants(ofMap, 'field', `${path}.additionalProperties`)),
    ...checkExtensions(schema, path),
    ...checkValueValidation(schema, path),
    ...checkTyped(schema, level, path),
    ...checkObjectMeta(schema, level, path),
  ];
}

function checkExtensions(schema: StructuralSchema, path: string): FieldError[] {
  if (schema['x-kubernetes-int-or-string'] !== true) return [];
  const others = ['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const;
  return others
    .filter((name) => schema[name] === true)
    .map((name) => invalid(`${path}.${name}`, true, 'must be false if x-kubernetes-int-or-string is true'));
}

const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }];

/** What restricts values; the two ways to write int-or-string may tell types. */
function checkValueValidation(schema: StructuralSchema, path: string): FieldError[] {
  const { allOf = [], anyOf = [], oneOf = [], not } = schema;
  const isIntOrString = isDeepStrictEqual(anyOf, INT_OR_STRING);
  return [
    ...(isIntOrString
      ? []
      : anyOf.flatMap((nested, index) => checkNested(nested, `${path}.anyOf[${index}]`))),
    ...allOf.flatMap((nested, index) => {
      const skipsAnyOf = index === 0 && isDeepStrictEqual(nested.anyOf, INT_OR_STRING);
      return checkNested(skipsAnyOf ? { ...nested, anyOf: [] } : nested, `${path}.allOf[${index}]`);
    }),
    ...oneOf.flatMap((nested, index) => checkNested(nested, `${path}.oneOf[${index}]`)),
    ...(not === undefined ? [] : checkNested(not, `${path}.not`)),
    ...checkPattern(schema, path),
  ];
}

const EMPTY_TYPE: Record<Level, string> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

function checkTyped(schema: StructuralSchema, level: Level, path: string): FieldError[] {
  const { type = '', additionalProperties } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const errors: FieldError[] = [];
  const objectOnly = 'must be object if x-kubernetes-embedded-resource is true';
  if (isEmbedded && type !== 'object')
    errors.push(
      type === '' ? required(`${path}.type`, objectOnly) : invalid(`${path}.type`, type, objectOnly),
    );
  else if (type === '' && schema['x-kubernetes-int-or-string'] !== true && !keepsAll)
    errors.push(required(`${path}.type`, EMPTY_TYPE[level]));
  if (isEmbedded && additionalProperties !== undefined) {
    const why = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbidden(`${path}.additionalProperties`, why));
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  return errors;
}

/** Type and metadata have their own schema: a definition may restrict the names and nothing else. */
function checkObjectMeta(schema: StructuralSchema, level: Level, path: string): FieldError[] {
  const { properties = {} } = schema;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  const keepsAll = schema['x-kubernetes-preserve-unknown-fields'] === true;
  const errors: FieldError[] = [];
  if (level === 'root' || isEmbedded) {
    for (const name of ['kind', 'apiVersion']) {
      const type = properties[name]?.type ?? '';
      if (properties[name] !== undefined && type !== 'string')
        errors.push(invalid(`${path}.properties[${name}].type`, type, 'must be string'));
    }
    const { metadata } = properties;
    if (metadata !== undefined && metadata.type !== 'object')
      errors.push(invalid(`${path}.properties[metadata].type`, metadata.type ?? '', 'must be object'));
  }
  if (level === 'root' && properties['metadata'] !== undefined && !restrictsNames(properties['metadata'])) {
    const why =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbidden(`${path}.properties[metadata]`, why));
  }
  if (isEmbedded && !keepsAll && Object.keys(properties).length === 0) {
    const why =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, why));
  }
  return errors;
}

function restrictsNames(metadata: StructuralSchema): boolean {
  const { type: _type, default: _default, properties = {}, ...rest } = metadata;
  const names = Object.keys(properties);
  return Object.keys(rest).length === 0 && names.every((name) => name === 'name' || name === 'generateName');
}
