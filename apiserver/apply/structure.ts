import { definitionNameOf, resolveSchema } from '../../api/openapi.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { structFields } from '../../api/schema/struct-fields.ts';
import { keptZeros } from '../protobuf/fields.ts';

/** How server-side apply sees a value: one whole (`leaf`), named parts, or a list whose items have an identity. */
export type Structure =
  | { kind: 'leaf' }
  | {
      kind: 'map';
      childSchema(name: string): Schema;
      /** A field that isn't written down is there all the same, and empty. */
      isAlwaysThere(name: string): boolean;
    }
  | { kind: 'list'; itemSchema: Schema; stepOf(item: unknown): string };

const LEAF: Structure = { kind: 'leaf' };

/** Reads the structure of a value from its schema; without a schema maps are granular and lists atomic. */
export function structureOf(value: unknown, schema: Schema): Structure {
  if (typeof value !== 'object' || value === null) return LEAF;
  const resolved = resolveSchema(schema);
  const isAtomic =
    schema['x-kubernetes-map-type'] === 'atomic' || resolved['x-kubernetes-map-type'] === 'atomic';
  if (Array.isArray(value)) return listStructure(schema);
  if (isAtomic) return LEAF;
  return {
    kind: 'map',
    childSchema: (name) => childOf(resolved, name),
    isAlwaysThere: (name) => isAlwaysThere(resolved, name),
  };
}

/** Of a Go struct: what is no pointer, and is told even when it is empty. */
function isAlwaysThere(schema: Schema, name: string): boolean {
  if (schema.properties?.[name]?.$ref?.endsWith('.ObjectMeta') === true) return true;
  const definition = definitionNameOf(schema);
  if (definition === undefined) return false;
  return (
    structFields.has(`${definition}.${name}`) ||
    schema.required?.includes(name) === true ||
    keptZeros(definition)?.has(name) === true
  );
}

function childOf(schema: Schema, name: string): Schema {
  const property = schema.properties?.[name];
  if (property !== undefined) return property;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
}

function listStructure(schema: Schema): Structure {
  const itemSchema = schema.items ?? {};
  switch (schema['x-kubernetes-list-type']) {
    case 'set':
      return { kind: 'list', itemSchema, stepOf: (item) => `v:${JSON.stringify(item)}` };
    case 'map': {
      const keys = schema['x-kubernetes-list-map-keys'] ?? [];
      return { kind: 'list', itemSchema, stepOf: (item) => keyStep(item, keys, itemSchema) };
    }
    case 'atomic':
    case undefined:
      break;
  }
  return LEAF;
}

function keyStep(item: unknown, keys: string[], itemSchema: Schema): string {
  const fields = (item ?? {}) as Record<string, unknown>;
  const { properties } = resolveSchema(itemSchema);
  const pairs = keys.toSorted().flatMap((key): [string, unknown][] => {
    const value = fields[key] ?? properties?.[key]?.default ?? KEY_DEFAULTS[key];
    return value === undefined ? [] : [[key, value]];
  });
  return `k:${JSON.stringify(Object.fromEntries(pairs))}`;
}

/** Keys that may be left out of an applied list item. */
const KEY_DEFAULTS: Record<string, unknown> = { protocol: 'TCP' };

/** An object's parts by step: the fields of a map or the items of a list. Items with the same keys are one part, their array. */
export function partsOf(
  value: unknown,
  structure: Structure,
): Map<string, { value: unknown; schema: Schema }> {
  if (structure.kind === 'list') {
    const byStep = Map.groupBy(value as unknown[], (item) => structure.stepOf(item));
    const parts = [...byStep].map(([step, items]): [string, { value: unknown; schema: Schema }] => [
      step,
      { value: isKeyed(step) && items.length > 1 ? items : items[0], schema: structure.itemSchema },
    ]);
    return new Map(parts);
  }
  if (structure.kind === 'leaf') return new Map();
  return new Map(
    Object.entries(value as object).map(([name, child]) => [
      `f:${name}`,
      { value: child as unknown, schema: structure.childSchema(name) },
    ]),
  );
}

/** The list that has these parts. */
export const itemsOf = (parts: [step: string, value: unknown][]): unknown[] =>
  parts.flatMap(([step, value]) => (isKeyed(step) ? value : [value]));

const isKeyed = (step: string): boolean => step.startsWith('k:');
