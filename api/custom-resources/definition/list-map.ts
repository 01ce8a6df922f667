import type { FieldError } from '../../validation/field-error.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';

/** Checks how lists and maps are merged: x-kubernetes-list-type, -list-map-keys and -map-type. */
export const checkListAndMapTypes = (schema: StructuralSchema, path: string): FieldError[] => [
  ...checkMapType(schema, path),
  ...checkListType(schema, path),
  ...checkListKeys(schema, path),
  ...checkItemsOfMap(schema, path),
  ...checkNullability(schema, path),
];

function checkMapType(schema: StructuralSchema, path: string): FieldError[] {
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType === undefined) return [];
  return [
    ...checkTypeFor('object', 'x-kubernetes-map-type', schema, path),
    ...(['atomic', 'granular'].includes(mapType)
      ? []
      : [notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular'])]),
  ];
}

function checkTypeFor(type: string, extension: string, schema: StructuralSchema, path: string): FieldError[] {
  const why = `must be ${type} if ${extension} is specified`;
  if (schema.type === type) return [];
  return schema.type ? [invalid(`${path}.type`, schema.type, why)] : [required(`${path}.type`, why)];
}

function checkListType(schema: StructuralSchema, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  if (listType === undefined) return [];
  const types = ['atomic', 'set', 'map'];
  return [
    ...(schema.type === 'array' ? checkSetItems(schema, path) : []),
    ...checkTypeFor('array', 'x-kubernetes-list-type', schema, path),
    ...(types.includes(listType) ? [] : [notSupported(`${path}.x-kubernetes-list-type`, listType, types)]),
  ];
}

/** The items of a set are compared as a whole. */
function checkSetItems({ items, ...schema }: StructuralSchema, path: string): FieldError[] {
  if (schema['x-kubernetes-list-type'] !== 'set' || items === undefined) return [];
  const why = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'] ?? 'atomic';
  if (items.type === 'array' && listType !== 'atomic')
    return [invalid(`${path}.items.x-kubernetes-list-type`, listType, why)];
  if (items.type !== 'object' || items['x-kubernetes-map-type'] === 'atomic') return [];
  return [invalid(`${path}.items.x-kubernetes-map-type`, items['x-kubernetes-list-type'] ?? null, why)];
}

function checkListKeys(schema: StructuralSchema, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (keys.length === 0 || listType === 'map') return [];
  const why = 'must be map if x-kubernetes-list-map-keys is non-empty';
  const field = `${path}.x-kubernetes-list-type`;
  return [listType === undefined ? required(field, why) : invalid(field, listType, why)];
}

function checkItemsOfMap(schema: StructuralSchema, path: string): FieldError[] {
  if (schema['x-kubernetes-list-type'] !== 'map') return [];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const { items } = schema;
  const keysField = `${path}.x-kubernetes-list-map-keys`;
  const errors: FieldError[] = [];
  if (keys.length === 0)
    errors.push(required(keysField, 'must not be empty if x-kubernetes-list-type is map'));
  if (items === undefined)
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  else if (items.type !== 'object') {
    const why = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items.type`, items.type ?? '', why));
  } else errors.push(...checkKeys(keys, items, path));
  return errors;
}

function checkKeys(keys: string[], items: StructuralSchema, path: string): FieldError[] {
  const keysField = `${path}.x-kubernetes-list-map-keys`;
  return keys.flatMap((key, index) => {
    const property = items.properties?.[key];
    const isScalar = property?.type !== 'array' && property?.type !== 'object';
    const scalar = "must be a scalar type if parent array's x-kubernetes-list-type is map";
    return [
      ...(property === undefined
        ? [invalid(keysField, keys, 'entries must all be names of item properties')]
        : []),
      ...(isScalar ? [] : [invalid(`${path}.items.properties[${key}].type`, items.type, scalar)]),
      ...(keys.indexOf(key) < index ? [invalid(keysField, keys, 'must not contain duplicate entries')] : []),
    ];
  });
}

/** What tells items apart must always be there. */
function checkNullability(schema: StructuralSchema, path: string): FieldError[] {
  const listType = schema['x-kubernetes-list-type'];
  const { items } = schema;
  if (items === undefined || (listType !== 'set' && listType !== 'map')) return [];
  const nullable = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
  const errors = items.nullable === true ? [forbidden(`${path}.items.nullable`, nullable)] : [];
  if (listType === 'set') return errors;
  return [
    ...errors,
    ...(schema['x-kubernetes-list-map-keys'] ?? []).flatMap((key) => checkKeyProperty(key, items, path)),
  ];
}

function checkKeyProperty(key: string, items: StructuralSchema, path: string): FieldError[] {
  const property = items.properties?.[key];
  if (property === undefined) return [];
  const field = `${path}.items.properties[${key}]`;
  const isThere = items.required?.includes(key) === true || property.default !== undefined;
  const missing =
    'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
  const nullable = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
  return [
    ...(isThere ? [] : [required(`${field}.default`, missing)]),
    ...(property.nullable === true ? [forbidden(`${field}.nullable`, nullable)] : []),
  ];
}
