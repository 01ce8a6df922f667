import type { Container } from '../../api/types.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { limitsOf, requestsOf } from './amounts.ts';
import { podRequests, qosClassOf } from './pod-resources.ts';

const minShares = 2;
const maxShares = 262_144;
/** The CFS period of every quota, in microseconds. */
export const quotaPeriodUs = 100_000;
const minQuotaUs = 1000;

/** cpu.shares of an amount of CPU (1024 for a core). */
export const sharesOf = (milliCpu: number): number =>
  milliCpu === 0 ? minShares : Math.min(Math.max(Math.floor((milliCpu * 1024) / 1000), minShares), maxShares);

/** The CFS quota of a limit in microseconds per period; 0 without a limit. */
export const quotaOf = (milliCpu: number): number =>
  milliCpu === 0 ? 0 : Math.max(Math.floor((milliCpu * quotaPeriodUs) / 1000), minQuotaUs);

/** The values of a container's cgroup, and how soon the kernel kills it when memory is short. */
export function linuxResourcesOf({
  pod,
  container,
  memoryCapacityBytes,
}: {
  pod: KubeletPod;
  container: Container;
  memoryCapacityBytes: number;
}): cri.Sent<cri.LinuxContainerResources> {
  const limits = withPodLimits(pod, limitsOf(container));
  const memoryLimit = limits['memory'] ?? 0;
  const cpuLimit = limits['cpu'] ?? 0;
  return {
    cpuShares: sharesOf(requestsOf(container)['cpu'] ?? 0),
    cpuPeriod: quotaPeriodUs,
    ...(cpuLimit > 0 ? { cpuQuota: quotaOf(cpuLimit) } : {}),
    ...(memoryLimit > 0 ? { memoryLimitInBytes: memoryLimit, memorySwapLimitInBytes: memoryLimit } : {}),
    oomScoreAdj: oomScoreAdjustOf({ pod, container, memoryCapacityBytes }),
    hugepageLimits: hugepageLimitsOf(limits),
  };
}

/** A container without a limit is held by the Pod's own (KEP-2837). */
function withPodLimits({ spec }: KubeletPod, limits: Record<string, number>) {
  if (!spec.resources?.limits) return limits;
  const podLimits = limitsOf({ name: '', resources: spec.resources });
  return { ...podLimits, ...limits };
}

const hugepageLimitsOf = (limits: Record<string, number>): cri.HugepageLimit[] =>
  Object.entries(limits)
    .filter(([name]) => name.startsWith('hugepages-'))
    .map(([name, limit]) => ({ pageSize: `${name.slice('hugepages-'.length)}B`, limit }));

const guaranteedScore = -997;

/** oom_score_adj of a container: less for those who asked for more memory (upstream: kubelet/qos/policy.go). */
export function oomScoreAdjustOf({
  pod,
  container,
  memoryCapacityBytes,
}: {
  pod: KubeletPod;
  container: Container;
  memoryCapacityBytes: number;
}): number {
  if (isNodeCritical(pod)) return guaranteedScore;
  const qosClass = qosClassOf(pod);
  if (qosClass === 'Guaranteed') return guaranteedScore;
  if (qosClass === 'BestEffort') return 1000;
  const requested = memoryRequestOf(container) + podLevelShare(pod);
  const scoreOf = (bytes: number) => 1000 - Math.trunc((1000 * bytes) / memoryCapacityBytes);
  let score = scoreOf(requested);
  if (isSidecar(container) && pod.spec.initContainers?.some(({ name }) => name === container.name)) {
    const smallest = Math.min(...pod.spec.containers.map(memoryRequestOf)) + podLevelShare(pod);
    score = Math.min(score, scoreOf(smallest));
  }
  return Math.min(Math.max(score, 1000 + guaranteedScore), 999);
}

const memoryRequestOf = (container: Container) => requestsOf(container)['memory'] ?? 0;

/** What the Pod asks for beyond its containers, shared out among them. */
function podLevelShare(pod: KubeletPod): number {
  if (!pod.spec.resources?.requests?.['memory']) return 0;
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  const asked = containers.reduce((sum, container) => sum + memoryRequestOf(container), 0);
  const rest = (podRequests(pod)['memory'] ?? 0) - asked;
  return Math.max(0, Math.trunc(rest / containers.length));
}

const isNodeCritical = ({ spec }: KubeletPod) =>
  (spec.priority ?? 0) >= 2_000_001_000 || spec.priorityClassName === 'system-node-critical';
