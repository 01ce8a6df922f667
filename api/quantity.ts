/** How a quantity's suffix was written, and is written back. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount of a resource. */
export interface Quantity {
  /** The amount in billionths: nothing smaller exists, smaller parts are rounded up (away from zero). */
  readonly nano: bigint;
  readonly format: QuantityFormat;
}

const NANO_DIGITS = 9;
const NANO = 10n ** 9n;
const MAX_BINARY = (2n ** 63n - 1n) * NANO;
const decimalSuffixes: Record<string, number> = {
  n: -9,
  u: -6,
  m: -3,
  '': 0,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};
const binarySuffixes: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };

/** Exponents beyond this are no amount of anything, and would only cost time. */
const MAX_EXPONENT = 1000;

/**
 * Reads a quantity: `100m`, `1.5Gi`, `2e3`, `0.1`. Throws an Error with upstream's words for what is none.
 * Source: apimachinery pkg/api/resource/quantity.go.
 */
export function parseQuantity(text: string | number): Quantity {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const quantity = Object.freeze(parse(text));
  if (parsed.size >= MAX_PARSED) parsed.clear();
  parsed.set(text, quantity);
  return quantity;
}

/** Few amounts are used, and those again and again: on the same Pod by defaults, validation, scheduler and kubelet. */
const parsed = new Map<string | number, Quantity>();
const MAX_PARSED = 1000;

function parse(text: string | number): Quantity {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?([eEinumkKMGTP]*[-+]?\d*)$/.exec(String(text));
  if (match === null || text === '')
    throw new Error(
      "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
    );
  const [, sign, whole = '', fraction = '', suffix = ''] = match;
  const { multiplier, exponent, format } = interpretSuffix(suffix);
  const digits = BigInt(`0${whole}${fraction}`) * multiplier;
  const nano = scaleUp(digits, NANO_DIGITS + exponent - fraction.length);
  const capped = format === 'BinarySI' && nano > MAX_BINARY ? MAX_BINARY : nano;
  const smallBinary = format === 'BinarySI' && capped > 0n && capped < NANO;
  return { nano: sign === '-' ? -capped : capped, format: smallBinary ? 'DecimalSI' : format };
}

function interpretSuffix(suffix: string): { multiplier: bigint; exponent: number; format: QuantityFormat } {
  const decimal = decimalSuffixes[suffix];
  if (decimal !== undefined) return { multiplier: 1n, exponent: decimal, format: 'DecimalSI' };
  const binary = binarySuffixes[suffix];
  if (binary !== undefined) return { multiplier: 2n ** binary, exponent: 0, format: 'BinarySI' };
  const [, written] = /^[eE]([-+]?\d+)$/.exec(suffix) ?? [];
  const exponent = Number(written);
  if (written === undefined || Math.abs(exponent) > MAX_EXPONENT)
    throw new Error("unable to parse quantity's suffix");
  return { multiplier: 1n, exponent, format: 'DecimalExponent' };
}

/** `digits` times ten to the `power`, rounded up to a whole number. */
function scaleUp(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * 10n ** BigInt(power);
  return divideUp(digits, 10n ** BigInt(-power));
}

function divideUp(amount: bigint, divisor: bigint): bigint {
  const whole = amount / divisor;
  if (whole * divisor === amount) return whole;
  return amount < 0n ? whole - 1n : whole + 1n;
}

/** Writes a quantity in canonical form: no fraction, the largest suffix that keeps it exact. */
export function formatQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  const magnitude = nano < 0n ? -nano : nano;
  const binary = format === 'BinarySI' && magnitude % NANO === 0n && magnitude >= 1024n * NANO;
  if (binary) return formatBinary(nano / NANO);
  return formatDecimal(nano, format === 'DecimalExponent');
}

function formatBinary(amount: bigint): string {
  const suffixes = ['', ...Object.keys(binarySuffixes)];
  let rest = amount;
  let steps = 0;
  for (; rest % 1024n === 0n && steps < suffixes.length - 1; steps++) rest /= 1024n;
  return `${rest}${suffixes[steps] ?? ''}`;
}

function formatDecimal(nano: bigint, asExponent: boolean): string {
  let rest = nano;
  let exponent = -9;
  for (; rest % 1000n === 0n && (asExponent || exponent < 18); exponent += 3) rest /= 1000n;
  if (asExponent) return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
  const suffix = Object.entries(decimalSuffixes).find(([, power]) => power === exponent)?.[0];
  return `${rest}${suffix ?? ''}`;
}

/** The canonical form of a quantity's text (`1500m` for `1.5`). Throws for what is no quantity. */
export function canonicalQuantity(text: string | number): string {
  return formatQuantity(parseQuantity(text));
}

/** Negative, zero or positive, as `a` is less than, equal to or more than `b`. */
export function compareQuantities(a: string | number, b: string | number): number {
  const [left, right] = [parseQuantity(a).nano, parseQuantity(b).nano];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, in the format of the first that is not zero. */
export function addQuantities(a: string | number, b: string | number): string {
  const [first, second] = [parseQuantity(a), parseQuantity(b)];
  const { format } = first.nano === 0n ? second : first;
  return formatQuantity({ nano: first.nano + second.nano, format });
}

/** Whole units, rounded up (upstream's `Value()`). */
export function quantityValue(text: string | number): number {
  return Number(divideUp(parseQuantity(text).nano, NANO));
}

/** Thousandths, rounded up (upstream's `MilliValue()`). */
export function quantityMilliValue(text: string | number): number {
  return Number(divideUp(parseQuantity(text).nano, NANO / 1000n));
}

/** A text for so many units (bytes, as a rule) in this format. */
export function quantityOf(units: number | bigint, format: QuantityFormat = 'DecimalSI'): string {
  return formatQuantity({ nano: BigInt(units) * NANO, format });
}

/** A text for so many thousandths, such as millicores. */
export function milliQuantityOf(milli: number | bigint, format: QuantityFormat = 'DecimalSI'): string {
  return formatQuantity({ nano: (BigInt(milli) * NANO) / 1000n, format });
}
