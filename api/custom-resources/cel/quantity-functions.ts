import type { Quantity } from '../../quantity.ts';
import { formatQuantity, parseQuantity } from '../../quantity.ts';
import type { CelLibrary } from './library.ts';
import { evaluationFailure } from './library.ts';

const NANO = 1_000_000_000n;

/** An amount such as `1.5Gi`. */
class CelQuantity {
  readonly quantity: Quantity;

  constructor(quantity: Quantity) {
    this.quantity = quantity;
  }

  valueOf(): string {
    return String(this.quantity.nano);
  }
}

function read(text: string): CelQuantity {
  try {
    return new CelQuantity(parseQuantity(text));
  } catch (error) {
    throw evaluationFailure(error instanceof Error ? error.message : String(error));
  }
}

function reads(text: string): boolean {
  try {
    parseQuantity(text);
    return true;
  } catch {
    // That is the answer.
    return false;
  }
}

const nano = ({ quantity }: CelQuantity): bigint => quantity.nano;

const sign = (value: bigint): bigint => (value > 0n ? 1n : value < 0n ? -1n : 0n);

const isInteger = (quantity: CelQuantity): boolean => nano(quantity) % NANO === 0n;

function asInteger(quantity: CelQuantity): bigint {
  if (!isInteger(quantity)) throw evaluationFailure('cannot convert value to integer');
  return nano(quantity) / NANO;
}

const plus = (a: CelQuantity, amount: bigint): CelQuantity =>
  new CelQuantity({ ...a.quantity, nano: nano(a) + amount });

/** Upstream: apiserver pkg/cel/library/quantity.go. */
export const quantityLibrary: CelLibrary = {
  types: { 'kubernetes.Quantity': CelQuantity },
  functions: [
    ['isQuantity(string): bool', reads],
    ['quantity(string): kubernetes.Quantity', read],
    ['kubernetes.Quantity.sign(): int', (a: CelQuantity) => sign(nano(a))],
    ['kubernetes.Quantity.isInteger(): bool', isInteger],
    ['kubernetes.Quantity.asInteger(): int', asInteger],
    ['kubernetes.Quantity.asApproximateFloat(): double', (a: CelQuantity) => Number(nano(a)) / 1e9],
    [
      'kubernetes.Quantity.isGreaterThan(kubernetes.Quantity): bool',
      (a: CelQuantity, b: CelQuantity) => nano(a) > nano(b),
    ],
    [
      'kubernetes.Quantity.isLessThan(kubernetes.Quantity): bool',
      (a: CelQuantity, b: CelQuantity) => nano(a) < nano(b),
    ],
    [
      'kubernetes.Quantity.compareTo(kubernetes.Quantity): int',
      (a: CelQuantity, b: CelQuantity) => sign(nano(a) - nano(b)),
    ],
    [
      'kubernetes.Quantity.add(kubernetes.Quantity): kubernetes.Quantity',
      (a: CelQuantity, b: CelQuantity) => plus(a, nano(b)),
    ],
    ['kubernetes.Quantity.add(int): kubernetes.Quantity', (a: CelQuantity, b: bigint) => plus(a, b * NANO)],
    [
      'kubernetes.Quantity.sub(kubernetes.Quantity): kubernetes.Quantity',
      (a: CelQuantity, b: CelQuantity) => plus(a, -nano(b)),
    ],
    ['kubernetes.Quantity.sub(int): kubernetes.Quantity', (a: CelQuantity, b: bigint) => plus(a, -b * NANO)],
    ['string(kubernetes.Quantity): string', ({ quantity }: CelQuantity) => formatQuantity(quantity)],
  ],
};
