import type { Container, ResourceRequirements } from '../../api/types.ts';

/** Amounts of resources by name: CPU in millicores, everything else in whole units (bytes, count). */
export type Amounts = Record<string, number>;

const suffixes: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A quantity as a number of units; 0 for what is no quantity (the API server has checked it). */
function unitsOf(quantity: string | number | undefined): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([a-zA-Z]*)$/.exec(String(quantity ?? '0'));
  const factor = suffixes[match?.[2] ?? ''];
  return match && factor !== undefined ? Number(match[1]) * factor : 0;
}

/** CPU in millicores, rounded up as Quantity.MilliValue does. */
const milliOf = (quantity: string | number | undefined): number =>
  Math.ceil(Number((unitsOf(quantity) * 1000).toFixed(6)));

/** Whole units, rounded up as Quantity.Value does. */
export const wholeOf = (quantity: string | number | undefined): number =>
  Math.ceil(Number(unitsOf(quantity).toFixed(6)));

export const amountsOf = (list: Record<string, string> | undefined): Amounts =>
  Object.fromEntries(
    Object.entries(list ?? {}).map(([name, quantity]) => [
      name,
      name === 'cpu' ? milliOf(quantity) : wholeOf(quantity),
    ]),
  );

/** Requests of a container; a limit without a request is the request too. */
export const requestsOf = ({ resources }: Container): Amounts => requestsWithLimits(resources);

export const requestsWithLimits = (resources: ResourceRequirements | undefined): Amounts => ({
  ...amountsOf(resources?.limits),
  ...amountsOf(resources?.requests),
});

export const limitsOf = ({ resources }: Container): Amounts => amountsOf(resources?.limits);

export function addAmounts(...lists: Amounts[]): Amounts {
  const sum: Amounts = {};
  for (const list of lists) {
    for (const [name, amount] of Object.entries(list)) sum[name] = (sum[name] ?? 0) + amount;
  }
  return sum;
}

export function maxAmounts(...lists: Amounts[]): Amounts {
  const max: Amounts = {};
  for (const list of lists) {
    for (const [name, amount] of Object.entries(list)) {
      max[name] = Math.max(max[name] ?? 0, amount);
    }
  }
  return max;
}
