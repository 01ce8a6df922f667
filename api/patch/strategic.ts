import { resolveSchema, schemaFor } from '../openapi.ts';
import type { GroupVersionKind, Schema } from '../openapi.ts';
import { copyJson, isObject, ownValue, setOwnValue } from './json-value.ts';
import type { JsonObject } from './json-value.ts';
import { mergeList, orderList, StrategicMergeError } from './strategic-list.ts';
import type { ListField } from './strategic-list.ts';

export { StrategicMergeError } from './strategic-list.ts';

const directive = '$patch';
const retainKeysDirective = '$retainKeys';
const deleteFromListPrefix = '$deleteFromPrimitiveList/';
const elementOrderPrefix = '$setElementOrder/';

/**
 * Applies a strategic merge patch of a built-in kind and returns the new object; the old one stays as it is. Lists merge by
 * the merge keys of the kind's schema, and all directives are understood: `$patch` (replace, delete, merge),
 * `$retainKeys`, `$deleteFromPrimitiveList/FIELD`, `$setElementOrder/FIELD`. Throws StrategicMergeError.
 * Source: apimachinery pkg/util/strategicpatch, and the design "preserve order in strategic merge patch".
 */
export function applyStrategicMergePatch(original: unknown, patch: unknown, kind: GroupVersionKind): unknown {
  if (!isObject(original) || !isObject(patch)) throw new StrategicMergeError('invalid JSON document');
  return mergeMap(copyJson(original), copyJson(patch), schemaFor(kind.group, kind.version, kind.kind) ?? {});
}

/** Merges `patch` into `original` and returns the result; both are used up. */
function mergeMap(original: JsonObject, patch: JsonObject, schema: Schema): JsonObject {
  if (Object.hasOwn(patch, directive)) return replaceMap(patch);
  applyRetainKeys(original, patch);
  applyElementOrders(original, patch, schema);
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith(deleteFromListPrefix))
      deleteFromList(original, key.slice(deleteFromListPrefix.length), value);
    else if (value === null) delete original[key];
    else mergeField({ original, key, value, schema });
  }
  return original;
}

function replaceMap({ [directive]: wanted, ...patch }: JsonObject): JsonObject {
  if (wanted === 'replace') return patch;
  if (wanted === 'delete') return {};
  throw new StrategicMergeError(`unknown patch type: ${String(wanted)} in map: ${JSON.stringify(patch)}`);
}

/** Removes what the list of keys to retain leaves out. Each key that the patch sets must be in it. */
function applyRetainKeys(original: JsonObject, patch: JsonObject): void {
  const list = ownValue(patch, retainKeysDirective);
  if (list === undefined) return;
  delete patch[retainKeysDirective];
  if (!Array.isArray(list)) throw new StrategicMergeError('invalid patch format of retainKeys');
  const retained = new Set<unknown>(list);
  const isDirective = (key: string) =>
    key.startsWith(deleteFromListPrefix) || key.startsWith(elementOrderPrefix);
  const stray = Object.entries(patch).some(
    ([key, value]) => value !== null && !isDirective(key) && !retained.has(key),
  );
  if (stray) throw new StrategicMergeError('invalid patch format of retainKeys');
  for (const key of Object.keys(original)) if (!retained.has(key)) delete original[key];
}

/** Merges each list that comes with an element order, and orders the result by it. */
function applyElementOrders(original: JsonObject, patch: JsonObject, schema: Schema): void {
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(elementOrderPrefix)) continue;
    delete patch[key];
    if (!Array.isArray(order)) throw badType('[]interface {}', order);
    const name = key.slice(elementOrderPrefix.length);
    const originalList = listAt(original, name);
    const patchList = listAt(patch, name);
    delete patch[name];
    if (originalList === undefined && patchList === undefined) continue;
    setOwnValue(
      original,
      name,
      orderList({ field: listField(schema, name), originalList, patchList, order }),
    );
  }
}

function listAt(object: JsonObject, name: string): unknown[] | undefined {
  const list = ownValue(object, name) ?? undefined;
  if (list !== undefined && !Array.isArray(list)) throw badType('[]interface {}', list);
  return list;
}

function deleteFromList(original: JsonObject, name: string, values: unknown): void {
  const list = ownValue(original, name);
  if (!Array.isArray(values)) throw new StrategicMergeError('invalid patch format of primitive list');
  if (Array.isArray(list)) original[name] = list.filter((item) => !values.includes(item));
}

function mergeField(options: { original: JsonObject; key: string; value: unknown; schema: Schema }): void {
  const { original, key, value, schema } = options;
  const current = ownValue(original, key);
  if (isObject(current) && isObject(value))
    setOwnValue(original, key, mergeObject(current, value, schema, key));
  else if (Array.isArray(current) && Array.isArray(value)) {
    const field = listField(schema, key);
    setOwnValue(original, key, field.strategy === 'merge' ? mergeList(current, value, field) : value);
  } else setNew(original, key, value);
}

function mergeObject(current: JsonObject, value: JsonObject, schema: Schema, key: string): JsonObject {
  const field = fieldOf(schema, key);
  if (strategiesOf(field).includes('replace')) return value;
  return mergeMap(current, value, resolveSchema(field));
}

/** A value where there was none of its type is taken as it is, without nulls and directives. */
function setNew(original: JsonObject, key: string, value: unknown): void {
  const cleaned = withoutDirectives(value);
  if (cleaned === undefined) delete original[key];
  else setOwnValue(original, key, cleaned);
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  const cleaned: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    const kept = item === null || isDirectiveKey(key) ? undefined : withoutDirectives(item);
    if (kept !== undefined) setOwnValue(cleaned, key, kept);
  }
  return cleaned;
}

function isDirectiveKey(key: string): boolean {
  return (
    key === retainKeysDirective || key.startsWith(deleteFromListPrefix) || key.startsWith(elementOrderPrefix)
  );
}

function fieldOf(schema: Schema, key: string): Schema {
  const field = schema.properties?.[key];
  if (field !== undefined) return field;
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {};
}

function strategiesOf(field: Schema): string[] {
  return field['x-kubernetes-patch-strategy']?.split(',') ?? [];
}

function listField(schema: Schema, name: string): ListField {
  const field = fieldOf(schema, name);
  return {
    name,
    strategy: strategiesOf(field).includes('merge') ? 'merge' : 'replace',
    mergeKey: field['x-kubernetes-patch-merge-key'] ?? '',
    mergeItem: (current, item) => mergeMap(current, item, resolveSchema(field.items ?? {})),
    newItem: withoutDirectives,
  };
}

function badType(expected: string, actual: unknown): StrategicMergeError {
  const received = Array.isArray(actual)
    ? '[]interface {}'
    : isObject(actual)
      ? 'map[string]interface {}'
      : typeof actual;
  return new StrategicMergeError(`expected a ${expected}, but received a ${received}`);
}
