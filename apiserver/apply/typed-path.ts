import { isObject } from '../../api/patch/json-value.ts';
import type { Schema } from '../../api/schema/schema.ts';
import { stepText } from './field-set.ts';
import { structureOf } from './structure.ts';

/** A path into a value as messages of apply write it: `.spec.containers[name="web"].foo` for `spec.containers[0].foo`. */
export function typedPath(path: string, value: unknown, schema: Schema): string {
  if (path === '') return '';
  const structure = structureOf(value, schema);
  if (Array.isArray(value)) {
    const [text = '', index = ''] = /^\[(\d+)\]\.?/.exec(path) ?? [];
    const item: unknown = value[Number(index)];
    const [step, itemSchema] =
      structure.kind === 'list'
        ? [structure.stepOf(item), structure.itemSchema]
        : [`i:${index}`, schema.items ?? {}];
    return stepText(step) + typedPath(path.slice(text.length), item, itemSchema);
  }
  const field = isObject(value) ? fieldAt(path, value) : path;
  const child = isObject(value) ? value[field] : undefined;
  const below = structure.kind === 'map' ? structure.childSchema(field) : {};
  return stepText(`f:${field}`) + typedPath(path.slice(field.length).replace(/^\./, ''), child, below);
}

/** The field of a map that a path begins with; names may have dots. */
function fieldAt(path: string, map: Record<string, unknown>): string {
  const fields = Object.keys(map).filter(
    (field) => path.startsWith(field) && ['', '.', '['].includes(path.charAt(field.length)),
  );
  return fields.toSorted((a, b) => b.length - a.length)[0] ?? path;
}
