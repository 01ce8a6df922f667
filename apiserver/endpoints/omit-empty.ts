import { definitionOf } from '../../api/openapi.ts';
import { isObject } from '../../api/patch/json-value.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { referencedName } from '../../api/schema/schema.ts';
import { keptZeros } from '../protobuf/fields.ts';

/**
 * Leaves out of a value of a built-in type, in place, what Go's JSON leaves out (`omitempty`): empty lists and maps, and zeros of
 * fields whose Go type has no other way of not being there. Structs stay, however empty.
 */
export function omitEmpty(value: unknown, definition: string): void {
  const { properties, required = [] } = definitionOf(definition) ?? {};
  if (properties === undefined || !isObject(value)) return;
  const kept = keptZeros(definition);
  for (const [field, content] of Object.entries(value)) {
    const schema = properties[field];
    if (schema === undefined) continue;
    const isTold = required.includes(field) || kept?.has(field) !== false;
    if (!isTold && isEmpty(content, schema)) delete value[field];
    else omitInside(content, schema);
  }
}

function omitInside(value: unknown, { $ref, items, additionalProperties }: Schema): void {
  if ($ref !== undefined) omitEmpty(value, referencedName($ref));
  else if (items !== undefined && Array.isArray(value)) for (const item of value) omitInside(item, items);
  else if (typeof additionalProperties === 'object' && isObject(value))
    for (const content of Object.values(value)) omitInside(content, additionalProperties);
}

function isEmpty(value: unknown, { $ref }: Schema): boolean {
  if ($ref !== undefined) return false;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === '' || value === 0 || value === false;
}
