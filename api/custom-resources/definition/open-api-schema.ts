import type { JSONSchemaProps } from '../../types.ts';
import type { FieldError } from '../../validation/field-error.ts';
import { forbidden, invalid, notSupported } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { checkListAndMapTypes } from './list-map.ts';
import { checkRules } from './schema-rules.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const META_FIELDS = ['apiVersion', 'kind', 'metadata'];

/** What a part of the schema may hold, by where it stands. */
interface Place {
  path: string;
  isRoot?: boolean;
  insideMetadata?: boolean;
  /** Why there may be no default; undefined where there may. */
  noDefaults?: string | undefined;
}

/** Checks each part of a schema by itself (upstream: validation.go ValidateCustomResourceDefinitionOpenAPISchema). */
export const validateOpenApiSchema = (schema: StructuralSchema, path: string): FieldError[] =>
  check(schema, { path, isRoot: true });

function check(schema: StructuralSchema, place: Place): FieldError[] {
  const { path } = place;
  return [
    ...checkSupport(schema, place),
    ...(schema.uniqueItems === true
      ? [
          forbidden(
            `${path}.uniqueItems`,
            'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
          ),
        ]
      : []),
    ...checkProperties(schema, place),
    ...parts(schema, path).flatMap(([part, at]) => check(part, { ...place, path: at, isRoot: false })),
    ...(schema['x-kubernetes-preserve-unknown-fields'] === false
      ? [invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined')]
      : []),
    ...checkListAndMapTypes(schema, path),
    ...checkRules(schema, path),
  ];
}

/** The restrictions and the items of a schema, with their paths. */
function parts(
  { not, allOf, oneOf, anyOf, items }: StructuralSchema,
  path: string,
): [StructuralSchema, string][] {
  const many = (field: string, list: StructuralSchema[] = []) =>
    list.map((part, index): [StructuralSchema, string] => [part, `${path}.${field}[${index}]`]);
  return [
    ...(not === undefined ? [] : [[not, `${path}.not`] satisfies [StructuralSchema, string]]),
    ...many('allOf', allOf),
    ...many('oneOf', oneOf),
    ...many('anyOf', anyOf),
    ...(items === undefined || Array.isArray(items)
      ? []
      : [[items, `${path}.items`] satisfies [StructuralSchema, string]]),
  ];
}

/** Fields are either told one by one or are all alike. */
function checkProperties(schema: StructuralSchema, place: Place): FieldError[] {
  const { properties = {}, additionalProperties } = schema;
  const { path } = place;
  const ofMap = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  const both = Object.keys(properties).length > 0 && additionalProperties !== undefined;
  const inMap =
    place.insideMetadata === true
      ? 'inside additionalProperties applying to object metadata'
      : place.noDefaults;
  return [
    ...(both && additionalProperties !== true
      ? [
          forbidden(
            `${path}.additionalProperties`,
            'additionalProperties and properties are mutual exclusive',
          ),
        ]
      : []),
    ...(ofMap === undefined
      ? []
      : check(ofMap, { ...place, path: `${path}.additionalProperties`, isRoot: false, noDefaults: inMap })),
    ...Object.entries(properties).flatMap(([name, property]) =>
      check(property, propertyPlace(name, schema, place)),
    ),
  ];
}

function propertyPlace(name: string, schema: StructuralSchema, place: Place): Place {
  const isRoot = place.isRoot === true;
  const isMeta = (isRoot || schema['x-kubernetes-embedded-resource'] === true) && META_FIELDS.includes(name);
  return {
    path: `${place.path}.properties[${name}]`,
    insideMetadata: isMeta || place.insideMetadata === true,
    noDefaults: isMeta && isRoot ? `in top-level ${name}` : place.noDefaults,
  };
}

const UNSUPPORTED: [keyof JSONSchemaProps, string][] = [
  ['id', 'id is not supported'],
  ['additionalItems', 'additionalItems is not supported'],
  ['patternProperties', 'patternProperties is not supported'],
  ['definitions', 'definitions is not supported'],
  ['dependencies', 'dependencies is not supported'],
  ['$ref', '$ref is not supported'],
];

/** What of OpenAPI v3 there is no support for. */
function checkSupport(schema: StructuralSchema, place: Place): FieldError[] {
  const { path, noDefaults } = place;
  const { type } = schema;
  const isInvalidType = type !== undefined && type !== '' && !TYPES.includes(type);
  return [
    ...(isInvalidType ? [notSupported(`${path}.type`, type, TYPES)] : []),
    ...(schema.default !== undefined && noDefaults !== undefined
      ? [forbidden(`${path}.default`, `must not be set ${noDefaults}`)]
      : []),
    ...UNSUPPORTED.filter(([field]) => (schema as JSONSchemaProps)[field] !== undefined).map(([field, why]) =>
      forbidden(`${path}.${field}`, why),
    ),
    ...(type === 'null'
      ? [forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative')]
      : []),
    ...(Array.isArray(schema.items)
      ? [forbidden(`${path}.items`, 'items must be a schema object and not an array')]
      : []),
    ...(place.insideMetadata === true && schema['x-kubernetes-embedded-resource'] === true
      ? [forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta')]
      : []),
  ];
}
