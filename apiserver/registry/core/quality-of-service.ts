import type { Container, Pod } from '../../../api/types.ts';
import { compareQuantities } from '../../../api/quantity.ts';

const RESOURCES = ['cpu', 'memory'] as const;

/** Guaranteed, Burstable or BestEffort (upstream: apis/core/v1/helper/qos ComputePodQOS). */
export function qosClassOf({ spec }: Pod): string {
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  const amounts = containers.flatMap(amountsOf);
  if (amounts.every(({ request, limit }) => isZero(request) && isZero(limit))) return 'BestEffort';
  return amounts.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

interface Amounts {
  request: string | undefined;
  limit: string | undefined;
}

const amountsOf = ({ resources }: Container): Amounts[] =>
  RESOURCES.map((name) => ({ request: resources?.requests?.[name], limit: resources?.limits?.[name] }));

const isZero = (amount: string | undefined): boolean => amount === undefined || isSame(amount, '0');

const isGuaranteed = ({ request, limit }: Amounts): boolean =>
  !isZero(limit) && isSame(request ?? limit, limit);

function isSame(a: string | undefined, b: string | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || compareQuantities(a, b) === 0;
}
