import { quote } from '../../go-format.ts';
import { evaluationFailure } from './library.ts';

/** `"%s has %d".format([…])`: %s, %d, %f, %e, %b, %o, %x, %X and %% (cel-go's ext strings). */
export function formatText(pattern: string, values: unknown[]): string {
  let next = 0;
  return pattern.replaceAll(/%(?:(%)|(?:\.(\d+))?([a-zA-Z])|.?)/g, (text, percent, precision, clause) => {
    if (percent !== undefined) return '%';
    if (clause === undefined)
      throw evaluationFailure(`unrecognized formatting clause ${quote(text.slice(1))}`);
    if (next >= values.length) throw evaluationFailure(`index ${next} out of range`);
    return formatOne(clause as string, values[next++], precision as string | undefined);
  });
}

function formatOne(clause: string, value: unknown, precision: string | undefined): string {
  const digits = precision === undefined ? 6 : Number(precision);
  switch (clause) {
    case 's':
      return shown(value);
    case 'd':
      return isNumber(value) ? String(value) : wrong('decimal clause can only be used on integers', value);
    case 'f':
      return isNumber(value)
        ? Number(value).toFixed(digits)
        : wrong('fixed-point clause can only be used on doubles', value);
    case 'e':
      return isNumber(value)
        ? exponential(Number(value), digits)
        : wrong('scientific clause can only be used on doubles', value);
    case 'b':
      return inBase(value, 2);
    case 'o':
      return inBase(value, 8);
    case 'x':
      return hexadecimal(value);
    case 'X':
      return hexadecimal(value).toUpperCase();
    default:
      throw evaluationFailure(`unrecognized formatting clause ${quote(clause)}`);
  }
}

const isNumber = (value: unknown): value is bigint | number =>
  typeof value === 'bigint' || typeof value === 'number';

function wrong(what: string, value: unknown): never {
  throw evaluationFailure(`${what}, was given ${typeof value}`);
}

/** Go writes exponents with two digits at least. */
const exponential = (value: number, digits: number): string =>
  value.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');

function inBase(value: unknown, base: number): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  return isNumber(value)
    ? value.toString(base)
    : wrong('only integers and bools can be formatted as binary', value);
}

function hexadecimal(value: unknown): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return inBase(value, 16);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (value instanceof Uint8Array) return Buffer.from(value).toString();
  if (value instanceof Map) return shownMap([...value]);
  if (typeof value === 'object' && value.constructor === Object) return shownMap(Object.entries(value));
  return String(value as bigint | number | boolean);
}

const shownMap = (entries: [unknown, unknown][]): string =>
  `{${entries
    .map(([key, value]) => `${shown(key)}: ${shown(value)}`)
    .toSorted()
    .join(', ')}}`;
