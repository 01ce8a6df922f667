/** How the items of a list are told apart: as a whole, or by these fields. */
export type ListIdentity = { type: 'set' } | { type: 'map'; keys: string[] };

const identities = new WeakMap<object, ListIdentity>();

/** Notes that the order of a list says nothing (x-kubernetes-list-type set and map). */
export function markList(list: unknown[], identity: ListIdentity | undefined): unknown[] {
  if (identity !== undefined) identities.set(list, identity);
  return list;
}

/** What `markList` noted. */
export const identityOf = (list: unknown[]): ListIdentity | undefined => identities.get(list);

/** True when two values are equal as CEL has it: numbers by value, whatever their type, maps and lists by their parts. */
export function celEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNumber(a) && isNumber(b)) return equalNumbers(a, b);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && equalLists(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b) === 0;
  if (a instanceof Map && b instanceof Map) return equalMaps(a, b);
  if (isMapLike(a) && isMapLike(b)) return equalMaps(mapOf(a), mapOf(b));
  return a.constructor === b.constructor && sameValue(a.valueOf(), b.valueOf());
}

/** Types of libraries and times have a text or number that stands for them. */
const sameValue = (a: unknown, b: unknown): boolean => typeof a !== 'object' && a === b;

const isNumber = (value: unknown): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

/** A bigint and a number are never identical, but may be equal. */
const equalNumbers = (a: number | bigint, b: number | bigint): boolean => !(a < b) && !(b < a);

/** By place, or by item where the order says nothing. */
export function equalLists(a: unknown[], b: unknown[]): boolean {
  if (a.length !== b.length) return false;
  if (identityOf(a) === undefined && identityOf(b) === undefined)
    return a.every((item, index) => celEquals(item, b[index]));
  return a.every((item) => b.some((other) => celEquals(item, other)));
}

function equalMaps(a: Map<unknown, unknown>, b: Map<unknown, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) if (!b.has(key) || !celEquals(value, b.get(key))) return false;
  return true;
}

const isMapLike = (value: object): boolean => value instanceof Map || value.constructor === Object;

const mapOf = (value: object): Map<unknown, unknown> =>
  value instanceof Map ? value : new Map(Object.entries(value));
