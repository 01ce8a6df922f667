import type { StructuralSchema } from './structural-schema.ts';
import { schemaOfField } from './structural-schema.ts';
import { isMap } from './values.ts';

/**
 * Fills in the schema's defaults, in place. A null that may not be null counts as absent: it goes, or gives way to the default
 * (upstream: apiserver/schema/defaulting).
 */
export function applySchemaDefaults(value: unknown, schema: StructuralSchema): void {
  dropNulls(value, schema);
  fillIn(value, schema);
}

const isForbiddenNull = (value: unknown, schema: StructuralSchema | undefined): boolean =>
  value === null && schema !== undefined && schema.nullable !== true;

function dropNulls(value: unknown, schema: StructuralSchema | undefined): void {
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, schema?.items);
    return;
  }
  if (!isMap(value)) return;
  for (const [field, content] of Object.entries(value)) {
    const known = schemaOfField(schema, field);
    if (isForbiddenNull(content, known) && known?.default === undefined) delete value[field];
    else dropNulls(content, known);
  }
}

function fillIn(value: unknown, schema: StructuralSchema | undefined): void {
  if (schema === undefined) return;
  if (Array.isArray(value)) fillInItems(value, schema.items);
  else if (isMap(value)) fillInFields(value, schema);
}

function fillInItems(list: unknown[], schema: StructuralSchema | undefined): void {
  for (const [index, item] of list.entries()) {
    if (isForbiddenNull(item, schema) && schema?.default !== undefined)
      list[index] = structuredClone(schema.default);
    fillIn(list[index], schema);
  }
}

function fillInFields(map: Record<string, unknown>, schema: StructuralSchema): void {
  for (const [field, property] of Object.entries(schema.properties ?? {})) {
    if (property.default === undefined) continue;
    if (!Object.hasOwn(map, field) || isForbiddenNull(map[field], property))
      map[field] = structuredClone(property.default);
  }
  for (const [field, content] of Object.entries(map)) {
    const known = schemaOfField(schema, field);
    if (isForbiddenNull(content, known) && known?.default !== undefined)
      map[field] = structuredClone(known.default);
    fillIn(map[field], known);
  }
}
