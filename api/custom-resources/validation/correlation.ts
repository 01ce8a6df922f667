import { isDeepStrictEqual } from 'node:util';
import type { StructuralSchema } from '../structural-schema.ts';
import { isMap } from '../values.ts';
import type { Node, Old } from './node.ts';

/** What a field was before, if it was there. The type of an object is the same by definition: it isn't compared. */
export function oldField({ path, root, old }: Node, name: string): Old | undefined {
  if (path === '' && root === '' && (name === 'apiVersion' || name === 'kind')) return undefined;
  return isMap(old?.value) && Object.hasOwn(old.value, name) ? { value: old.value[name] } : undefined;
}

/** What an item was before: only items with keys can be told apart (upstream: apiserver pkg/cel/common CorrelatedObject). */
export function oldItem(
  old: Old | undefined,
  { schema, item }: { schema: StructuralSchema; item: unknown },
): Old | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(old?.value)) return undefined;
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const wanted = keysOf(item, keys);
  const found = (old.value as unknown[]).find((other) => isDeepStrictEqual(keysOf(other, keys), wanted));
  return found === undefined ? undefined : { value: found };
}

/** The key fields of an item, in order. */
const keysOf = (item: unknown, keys: string[]): unknown[] =>
  keys.map((key) => (isMap(item) ? item[key] : undefined));
