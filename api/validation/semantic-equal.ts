import { isDeepStrictEqual } from 'node:util';

/** Equal but for what makes no difference: an absent field, an empty list, map or text, false and 0. */
export function semanticEqual(a: unknown, b: unknown): boolean {
  return isDeepStrictEqual(withoutZeros(a), withoutZeros(b));
}

function withoutZeros(value: unknown): unknown {
  if (value === '' || value === false || value === 0 || value === null) return undefined;
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((item) => withoutZeros(item) ?? item);
  if (typeof value !== 'object') return value;
  const entries = Object.entries(value).flatMap(([key, item]) => {
    const kept = withoutZeros(item);
    return kept === undefined ? [] : [[key, kept]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
