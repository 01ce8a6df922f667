import { isObject, ownValue } from './json-value.ts';
import type { JsonObject } from './json-value.ts';

/** What is wrong with a strategic merge patch, in the words of apimachinery pkg/util/mergepatch/errors.go. */
export class StrategicMergeError extends Error {
  override name = 'StrategicMergeError';
}

/** How a list field of a schema merges. */
export interface ListField {
  name: string;
  strategy: 'merge' | 'replace';
  /** Items with the same value of this field are the same; empty for lists of scalars. */
  mergeKey: string;
  mergeItem: (current: JsonObject, item: JsonObject) => JsonObject;
  /** An item that is new, without nulls and directives. */
  newItem: (item: unknown) => unknown;
}

/** Merges a patch's list into a list of the object: new items at the end, in the patch's order. */
export function mergeList(original: unknown[], patch: unknown[], field: ListField): unknown[] {
  if (original.length === 0 && patch.length === 0) return original;
  assertSameType([...original, ...patch]);
  if (!isObject(original[0] ?? patch[0])) {
    const merged = [...new Set([...original, ...patch])];
    return orderItems({ merged, patchOrder: patch, serverOrder: original, mergeKey: '' });
  }
  if (field.mergeKey === '')
    throw new StrategicMergeError(`cannot merge lists without merge key for ${field.name}`);
  const { kept, plain } = applySpecialItems(original as JsonObject[], patch as JsonObject[], field.mergeKey);
  const merged = mergeItems(kept, plain, field);
  return orderItems({ merged, patchOrder: plain, serverOrder: kept, mergeKey: field.mergeKey });
}

/** Merges, then puts the items of `order` in that order; the others keep their places among them as well as can be. */
export function orderList(options: {
  field: ListField;
  originalList: unknown[] | undefined;
  patchList: unknown[] | undefined;
  order: unknown[];
}): unknown[] {
  const { field, originalList, patchList, order } = options;
  const { mergeKey } = field;
  assertOrderFits(patchList ?? [], order, mergeKey);
  const merged = mergeFound(field, originalList, patchList);
  return orderItems({ merged, patchOrder: order, serverOrder: originalList ?? [], mergeKey });
}

function mergeFound(
  field: ListField,
  original: unknown[] | undefined,
  patch: unknown[] | undefined,
): unknown[] {
  if (patch === undefined) return original ?? [];
  if (original === undefined) return patch.filter((item) => !isSpecial(item)).map(field.newItem);
  return field.strategy === 'merge' ? mergeList([...original], patch, field) : patch;
}

function isSpecial(item: unknown): boolean {
  return isObject(item) && Object.hasOwn(item, '$patch');
}

/** Carries out `$patch: delete` and `$patch: replace` items, and returns what else the patch has. */
function applySpecialItems(original: JsonObject[], patch: JsonObject[], mergeKey: string) {
  const plain = patch.filter((item) => !isSpecial(item));
  let kept = original;
  for (const { $patch: wanted, ...item } of patch.filter(isSpecial)) {
    if (wanted === 'delete') {
      const value = keyOf(item, mergeKey);
      kept = kept.filter((candidate) => ownValue(candidate, mergeKey) !== value);
    } else if (wanted === 'merge')
      throw new StrategicMergeError('merging lists cannot yet be specified in the patch');
    else if (wanted !== 'replace')
      throw new StrategicMergeError(`unknown patch type: ${String(wanted)} in map: ${JSON.stringify(item)}`);
  }
  return patch.some(({ $patch: wanted }) => wanted === 'replace')
    ? { kept: plain, plain: [] }
    : { kept, plain };
}

function mergeItems(
  original: JsonObject[],
  patch: JsonObject[],
  { mergeKey, mergeItem, newItem }: ListField,
): JsonObject[] {
  const merged = [...original];
  for (const item of patch) {
    const value = keyOf(item, mergeKey);
    const at = merged.findIndex((candidate) => ownValue(candidate, mergeKey) === value);
    const current = merged[at];
    if (current === undefined) merged.push(newItem(item) as JsonObject);
    else merged[at] = mergeItem(current, item);
  }
  return merged;
}

function keyOf(item: JsonObject, mergeKey: string): unknown {
  const value = ownValue(item, mergeKey);
  if (value !== undefined) return value;
  throw new StrategicMergeError(
    `map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`,
  );
}

/**
 * Items that the patch orders come in its order. The others come in the server's order; each goes before the first patch
 * item that the server had behind it.
 */
function orderItems(options: {
  merged: unknown[];
  patchOrder: unknown[];
  serverOrder: unknown[];
  mergeKey: string;
}): unknown[] {
  const { merged, mergeKey } = options;
  const identity = (item: unknown) => (isObject(item) && mergeKey !== '' ? keyOf(item, mergeKey) : item);
  const patchIndex = indexes(options.patchOrder.map(identity));
  const serverIndex = indexes(options.serverOrder.map(identity));
  const byIndex = (index: Map<unknown, number>) => (a: unknown, b: unknown) =>
    (index.get(identity(a)) ?? -1) - (index.get(identity(b)) ?? -1);
  const ordered = merged.filter((item) => patchIndex.has(identity(item))).toSorted(byIndex(patchIndex));
  const others = merged.filter((item) => !patchIndex.has(identity(item))).toSorted(byIndex(serverIndex));
  const isBefore = (left: unknown, right: unknown) => {
    const [a, b] = [serverIndex.get(identity(left)), serverIndex.get(identity(right))];
    return a !== undefined && b !== undefined && a < b;
  };
  return interleave(others, ordered, isBefore);
}

function interleave(
  left: unknown[],
  right: unknown[],
  isBefore: (a: unknown, b: unknown) => boolean,
): unknown[] {
  const result: unknown[] = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    const takeLeft = j >= right.length || (i < left.length && isBefore(left[i], right[j]));
    result.push(takeLeft ? left[i++] : right[j++]);
  }
  return result;
}

function indexes(keys: unknown[]): Map<unknown, number> {
  return new Map(keys.map((key, index) => [key, index]));
}

/** The patch's items must be among those of the order, in the same relative order. */
function assertOrderFits(patchList: unknown[], order: unknown[], mergeKey: string): void {
  if (order.length === 0 || patchList.length === 0) return;
  const identity = (item: unknown) => (isObject(item) && mergeKey !== '' ? keyOf(item, mergeKey) : item);
  const wanted = patchList.filter((item) => !isSpecial(item)).map(identity);
  let next = 0;
  for (const key of order.map(identity)) if (next < wanted.length && key === wanted[next]) next++;
  if (next < wanted.length)
    throw new StrategicMergeError(
      `The order in patch list:\n${JSON.stringify(patchList)}\n doesn't match $setElementOrder list:\n${JSON.stringify(order)}\n`,
    );
}

function assertSameType(items: unknown[]): void {
  const types = new Set(
    items.map((item) => (Array.isArray(item) ? 'list' : isObject(item) ? 'map' : typeof item)),
  );
  if (types.has('list')) throw new StrategicMergeError('lists of lists are not supported');
  if (types.size > 1)
    throw new StrategicMergeError(`list element types are not identical: ${JSON.stringify(items)}`);
}
