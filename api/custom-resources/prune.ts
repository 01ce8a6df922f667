import type { StructuralSchema } from './structural-schema.ts';
import { isMap } from './values.ts';

const TYPE_AND_METADATA = new Set(['apiVersion', 'kind', 'metadata']);

/** Called with the path of each field that is dropped: `spec.ports[0].nmae`. */
export type OnUnknown = (path: string) => void;

/**
 * The object without the fields that its schema doesn't know; type and metadata of the root and of embedded resources stay
 * (upstream: apiserver/schema/pruning).
 */
export function pruneObject(
  object: Record<string, unknown>,
  schema: StructuralSchema,
  onUnknown: OnUnknown = () => undefined,
): Record<string, unknown> {
  const root = { ...schema, 'x-kubernetes-embedded-resource': true };
  return prune(object, root, { path: '', onUnknown }) as Record<string, unknown>;
}

/** A value that is part of an object, without what its schema doesn't know. */
export const pruneValue = (value: unknown, schema: StructuralSchema): unknown =>
  prune(value, schema, { path: '', onUnknown: () => undefined });

interface Place {
  path: string;
  onUnknown: OnUnknown;
}

function prune(value: unknown, schema: StructuralSchema | undefined, place: Place): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) =>
      prune(item, itemsOf(schema), { ...place, path: `${place.path}[${index}]` }),
    );
  }
  return isMap(value) ? pruneMap(value, schema, place) : value;
}

/** Where a list keeps unknown fields, its items do, too. */
const itemsOf = (schema: StructuralSchema | undefined): StructuralSchema | undefined =>
  schema?.['x-kubernetes-preserve-unknown-fields'] === true
    ? { ...schema.items, 'x-kubernetes-preserve-unknown-fields': true }
    : schema?.items;

function pruneMap(
  map: Record<string, unknown>,
  schema: StructuralSchema | undefined,
  place: Place,
): Record<string, unknown> {
  const isEmbedded = schema?.['x-kubernetes-embedded-resource'] === true;
  const kept = Object.entries(map).flatMap(([field, value]): [string, unknown][] => {
    const path = place.path === '' ? field : `${place.path}.${field}`;
    const known = knownSchema(schema, field);
    if (known === true || (isEmbedded && TYPE_AND_METADATA.has(field))) return [[field, value]];
    if (known !== undefined) return [[field, prune(value, known, { ...place, path })]];
    place.onUnknown(path);
    return [];
  });
  // Not by assignment: a field may be called __proto__.
  return Object.fromEntries(kept);
}

/** The field's schema, true when any value is kept, undefined when the field isn't known. */
function knownSchema(
  schema: StructuralSchema | undefined,
  field: string,
): StructuralSchema | true | undefined {
  if (schema === undefined) return undefined;
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, field)) return properties[field];
  if (typeof additionalProperties === 'object') return additionalProperties;
  return schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true
    ? true
    : undefined;
}
