import { compareQuantities } from './quantity.ts';
import type { Pod, ResourceRequirements } from './types.ts';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/**
 * The quality of service that a Pod's cpu and memory earn it: Guaranteed when each container has limits and its requests
 * equal them, BestEffort when none asks for anything. Resources of the Pod as a whole count instead of the containers'.
 * Source: Kubernetes pkg/apis/core/helper/qos/qos.go.
 */
export function qosClassOf({ spec }: Pod): QosClass {
  const own = spec?.resources;
  const asked = isAsking(own)
    ? [own ?? {}]
    : [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ resources }) => resources ?? {});
  if (!asked.some(isAsking)) return 'BestEffort';
  return asked.every(isGuaranteed) ? 'Guaranteed' : 'Burstable';
}

const names = ['cpu', 'memory'];

function amountOf(list: Record<string, string> | undefined, name: string): string | undefined {
  const amount = list?.[name];
  return amount === undefined || compareQuantities(amount, '0') <= 0 ? undefined : amount;
}

function isAsking(resources: ResourceRequirements | undefined): boolean {
  return names.some(
    (name) =>
      amountOf(resources?.requests, name) !== undefined || amountOf(resources?.limits, name) !== undefined,
  );
}

function isGuaranteed({ requests, limits }: ResourceRequirements): boolean {
  return names.every((name) => {
    const limit = amountOf(limits, name);
    return limit !== undefined && compareQuantities(requests?.[name] ?? limit, limit) === 0;
  });
}
