import { celEquals } from './equality.ts';
import type { CelFunction, CelLibrary } from './library.ts';
import { evaluationFailure } from './library.ts';

type Comparable = bigint | number | string | boolean | Date;

const less = (a: Comparable, b: Comparable): boolean => a < b;

const isSorted = (list: Comparable[]): boolean =>
  list.every((item, index) => index === 0 || !less(item, list[index - 1] ?? item));

function extreme(name: string, isBetter: (a: Comparable, b: Comparable) => boolean) {
  return (list: Comparable[]): Comparable => {
    const [first] = list;
    if (first === undefined) throw evaluationFailure(`${name} called on empty list`);
    return list.reduce((best, item) => (isBetter(item, best) ? item : best), first);
  };
}

const indexOf = (list: unknown[], item: unknown): bigint =>
  BigInt(list.findIndex((other) => celEquals(other, item)));

const lastIndexOf = (list: unknown[], item: unknown): bigint =>
  BigInt(list.findLastIndex((other) => celEquals(other, item)));

function slice(list: unknown[], start: bigint, end: bigint): unknown[] {
  if (start < 0n || end > BigInt(list.length) || start > end)
    throw evaluationFailure(`cannot slice(${start}, ${end}), list has ${list.length} elements`);
  return list.slice(Number(start), Number(end));
}

const distinct = (list: unknown[]): unknown[] =>
  list.filter((item, index) => list.findIndex((other) => celEquals(other, item)) === index);

const sorted = (list: Comparable[]): Comparable[] =>
  list.toSorted((a, b) => (less(a, b) ? -1 : less(b, a) ? 1 : 0));

const COMPARABLE = ['int', 'double', 'string', 'bool', 'google.protobuf.Timestamp'];

const ofEachType: CelFunction[] = COMPARABLE.flatMap((type): CelFunction[] => [
  [`list<${type}>.isSorted(): bool`, isSorted],
  [`list<${type}>.min(): ${type}`, extreme('min', less)],
  [`list<${type}>.max(): ${type}`, extreme('max', (a, b) => less(b, a))],
  [`list<${type}>.sort(): list<${type}>`, sorted],
]);

/** Upstream: apiserver pkg/cel/library/lists.go, and cel-go's ext lists. */
export const listLibrary: CelLibrary = {
  namespaces: ['lists'],
  functions: [
    ...ofEachType,
    ['list<int>.sum(): int', (list: bigint[]) => list.reduce((sum, item) => sum + item, 0n)],
    ['list<double>.sum(): double', (list: number[]) => list.reduce((sum, item) => sum + item, 0)],
    ['list<A>.indexOf(A): int', indexOf],
    ['list<A>.lastIndexOf(A): int', lastIndexOf],
    ['list<A>.slice(int, int): list<A>', slice],
    ['list<A>.distinct(): list<A>', distinct],
    ['list<A>.reverse(): list<A>', (list: unknown[]) => list.toReversed()],
    ['list.flatten(): list', (list: unknown[]) => list.flat()],
    ['list.flatten(int): list', (list: unknown[], depth: bigint) => list.flat(Number(depth))],
    ['Namespace.lists.range(int): list<int>', (_: object, end: bigint) => range(end)],
  ],
};

const RANGE_LIMIT = 1_000_000n;

function range(end: bigint): bigint[] {
  if (end > RANGE_LIMIT) throw evaluationFailure(`lists.range(${end}) exceeds the limit of ${RANGE_LIMIT}`);
  return Array.from({ length: Math.max(Number(end), 0) }, (_item, index) => BigInt(index));
}

const contains = (_: object, list: unknown[], other: unknown[]): boolean =>
  other.every((item) => list.some((present) => celEquals(present, item)));

/** cel-go's ext sets. */
export const setLibrary: CelLibrary = {
  namespaces: ['sets'],
  functions: [
    ['Namespace.sets.contains(list<A>, list<A>): bool', contains],
    [
      'Namespace.sets.equivalent(list<A>, list<A>): bool',
      (_: object, a: unknown[], b: unknown[]) => contains(_, a, b) && contains(_, b, a),
    ],
    [
      'Namespace.sets.intersects(list<A>, list<A>): bool',
      (_: object, a: unknown[], b: unknown[]) => a.some((item) => b.some((other) => celEquals(item, other))),
    ],
  ],
};
