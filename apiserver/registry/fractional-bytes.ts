import { quote } from '../../api/go-format.ts';
import { canonicalQuantity, quantityMilliValue } from '../../api/quantity.ts';

/** A warning for each of the resources `names` that is counted in bytes and has a part of one. */
export function fractionalByteWarnings(
  amounts: Record<string, string> | undefined,
  names: readonly string[],
  path: string,
): string[] {
  return names.flatMap((name) => {
    const amount = amounts?.[name];
    if (amount === undefined || quantityMilliValue(amount) % 1000 === 0) return [];
    const shown = quote(canonicalQuantity(amount));
    return [`${path}[${name}]: fractional byte value ${shown} is invalid, must be an integer`];
  });
}
