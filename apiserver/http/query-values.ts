import { badRequest } from './errors.ts';

const INT64_LIMIT = 2n ** 63n;

/** A whole number of the query; 0 when it isn't there. Throws 400 for anything else, in the words of the parser upstream uses. */
export function queryInteger(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  if (text === null) return 0;
  const fail = (why: string) => badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw fail('invalid syntax');
  const value = BigInt(text.replace(/^\+/, ''));
  if (value >= INT64_LIMIT || value < -INT64_LIMIT) throw fail('value out of range');
  return Number(value);
}

/** A flag of the query: anything but `0`, `false` and absence means yes (apimachinery Convert_Slice_string_To_bool). */
export function queryFlag(query: URLSearchParams, name: string): boolean {
  const text = query.get(name);
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}
