import type { ListIdentity } from './equality.ts';
import { celEquals, identityOf, markList } from './equality.ts';

/**
 * Both lists together. Where the first is a set or has keys, each item is there once: the second's counts, in the first's place
 * (https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-list-library).
 */
export function unionOfLists(a: unknown[], b: unknown[]): unknown[] {
  const identity = identityOf(a);
  if (identity === undefined) return [...a, ...b];
  const kept = a.map((item) => b.find((other) => isSameItem(identity, item, other)) ?? item);
  const added = b.filter((item) => !a.some((other) => isSameItem(identity, item, other)));
  return markList([...kept, ...added], identity);
}

const isSameItem = (identity: ListIdentity, a: unknown, b: unknown): boolean =>
  identity.type === 'set'
    ? celEquals(a, b)
    : identity.keys.every((key) => celEquals(fieldOf(a, key), fieldOf(b, key)));

const fieldOf = (item: unknown, key: string): unknown => (item instanceof Map ? item.get(key) : undefined);
