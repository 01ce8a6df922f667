import type { FieldError } from '../../validation/field-error.ts';
import { duplicate, invalid } from '../../validation/field-error.ts';
import type { StructuralSchema } from '../structural-schema.ts';
import { schemaOfField } from '../structural-schema.ts';
import { canonicalJson, isMap } from '../values.ts';

/** Checks that lists of type set and map have each item once (upstream: apiserver/schema/listtype). */
export function validateListTypes(value: unknown, schema: StructuralSchema, field = ''): FieldError[] {
  if (Array.isArray(value)) {
    const { items } = schema;
    const below =
      items === undefined
        ? []
        : value.flatMap((item, index) => validateListTypes(item, items, `${field}[${index}]`));
    return [...checkUnique(value, schema, field), ...below];
  }
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([name, content]) => {
    const known = schemaOfField(schema, name);
    return known === undefined ? [] : validateListTypes(content, known, childField(schema, field, name));
  });
}

/** `spec.ports` for a property, `spec.labels[a]` for a key of a map. */
export function childField(schema: StructuralSchema, field: string, name: string): string {
  const isProperty = Object.hasOwn(schema.properties ?? {}, name);
  return isProperty ? (field === '' ? name : `${field}.${name}`) : `${field}[${name}]`;
}

function checkUnique(list: unknown[], schema: StructuralSchema, field: string): FieldError[] {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  switch (schema['x-kubernetes-list-type'] ?? 'atomic') {
    case 'set':
      return duplicates(list).map((index) => duplicate(`${field}[${index}]`, list[index]));
    case 'map': {
      const odd = list.findIndex((item) => item !== null && !isMap(item));
      if (odd >= 0)
        return [invalid(`${field}[${odd}]`, list[odd], 'must be an object for an array of list-type map')];
      const identities = list.map((item) => identityOf(item, keys));
      return duplicates(identities).map((index) => duplicate(`${field}[${index}]`, identities[index]));
    }
    default:
      return [];
  }
}

/** The key fields of an item that are there. */
const identityOf = (item: unknown, keys: string[]): Record<string, unknown> =>
  Object.fromEntries(
    keys.flatMap((key) => (isMap(item) && Object.hasOwn(item, key) ? [[key, item[key]]] : [])),
  );

/** Where the second of several equal items stands. */
function duplicates(list: unknown[]): number[] {
  const seen = new Map<string, number>();
  return list.flatMap((item, index) => {
    const text = canonicalJson(item);
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    return times === 2 ? [index] : [];
  });
}
