import type { Container } from '../../api/types.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { addAmounts, amountsOf, limitsOf, maxAmounts, requestsOf, requestsWithLimits } from './amounts.ts';
import type { Amounts } from './amounts.ts';

/** What the Pod asks for: the larger of what runs for good and of any step of its initialization (KEP-753). */
export const podRequests = (pod: KubeletPod): Amounts =>
  withPodLevel(pod, aggregate(pod, requestsOf), requestsWithLimits(pod.spec.resources));

/** What the Pod may use in sum; a resource that one container has no limit for is still summed (see podCgroup). */
export const podLimits = (pod: KubeletPod): Amounts =>
  withPodLevel(pod, aggregate(pod, limitsOf), amountsOf(pod.spec.resources?.limits));

const withPodLevel = ({ spec }: KubeletPod, containers: Amounts, podLevel: Amounts): Amounts =>
  addAmounts({ ...containers, ...podLevel }, amountsOf(spec.overhead));

function aggregate({ spec }: KubeletPod, amounts: (container: Container) => Amounts): Amounts {
  let sidecars: Amounts = {};
  let initialization: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    if (isSidecar(container)) sidecars = addAmounts(sidecars, amounts(container));
    initialization = maxAmounts(
      initialization,
      isSidecar(container) ? sidecars : addAmounts(sidecars, amounts(container)),
    );
  }
  return maxAmounts(addAmounts(sidecars, ...spec.containers.map(amounts)), initialization);
}

/** Whether every container has a limit for `resource`; only then has the Pod one of its own. */
export const everyContainerLimits = ({ spec }: KubeletPod, resource: string): boolean =>
  [...(spec.initContainers ?? []), ...spec.containers].every(
    (container) => (limitsOf(container)[resource] ?? 0) > 0,
  );

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** The quality of service class, by CPU and memory only (upstream: qos.ComputePodQOS). */
export function qosClassOf(pod: KubeletPod): QosClass {
  const { spec } = pod;
  const parts = spec.resources
    ? [{ requests: requestsWithLimits(spec.resources), limits: amountsOf(spec.resources.limits) }]
    : [...(spec.initContainers ?? []), ...spec.containers].map((container) => ({
        requests: requestsOf(container),
        limits: limitsOf(container),
      }));
  const set = (amount: number | undefined) => (amount ?? 0) > 0;
  const names = ['cpu', 'memory'] as const;
  const any = parts.some(({ requests, limits }) =>
    names.some((name) => set(requests[name]) || set(limits[name])),
  );
  if (!any) return 'BestEffort';
  const guaranteed = parts.every(({ requests, limits }) =>
    names.every((name) => set(limits[name]) && limits[name] === requests[name]),
  );
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
