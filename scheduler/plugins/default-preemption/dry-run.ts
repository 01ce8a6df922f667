import type { Pod } from '../../../api/types.ts';
import { rejectionWithNominated } from '../../framework/filter-nodes.ts';
import type { SchedulerHandle } from '../../framework/handle.ts';
import { withoutPods } from '../../framework/node-info.ts';
import type { NodeInfo } from '../../framework/node-info.ts';
import { unresolvable } from '../../framework/plugin.ts';
import type { Rejection } from '../../framework/plugin.ts';

/** A node where the pod would fit without these pods, the most important one first. */
export interface Candidate {
  node: NodeInfo;
  victims: Pod[];
}

/**
 * Takes all less important pods away, then gives back the most important ones as long as the pod still fits beside
 * them and beside the pods nominated there, for which room must be kept (upstream's SelectVictimsOnNode).
 */
export const selectVictims = (pod: Pod, node: NodeInfo, handle: SchedulerHandle): Pod[] | Rejection => {
  const lower = [...node.pods.values()]
    .map((info) => info.pod)
    .filter((other) => priorityOf(other) < priorityOf(pod))
    .sort(byImportance(handle.clock.now()));
  if (lower.length === 0) return unresolvable('No preemption victims found for incoming pod');
  const removed = new Set(lower.map(({ metadata }) => metadata?.uid ?? ''));
  const rejection = rejectionWithout(removed, { pod, node, handle });
  if (rejection !== undefined) return rejection;
  for (const { metadata } of lower) {
    const uid = metadata?.uid ?? '';
    removed.delete(uid);
    if (rejectionWithout(removed, { pod, node, handle }) !== undefined) removed.add(uid);
  }
  return lower.filter(({ metadata }) => removed.has(metadata?.uid ?? ''));
};

export const priorityOf = (pod: Pod): number => pod.spec?.priority ?? 0;

/** Higher priority first, then who runs longer. */
const byImportance =
  (nowMs: number) =>
  (a: Pod, b: Pod): number =>
    priorityOf(b) - priorityOf(a) || startMsOf(a, nowMs) - startMsOf(b, nowMs);

/** A pod that hasn't started counts as starting now: it has nothing to lose (upstream's GetPodStartTime). */
const startMsOf = ({ status }: Pod, nowMs: number): number =>
  status?.startTime === undefined ? nowMs : Date.parse(status.startTime);

const rejectionWithout = (
  uids: ReadonlySet<string>,
  { pod, node, handle }: { pod: Pod; node: NodeInfo; handle: SchedulerHandle },
): Rejection | undefined =>
  rejectionWithNominated(handle.plugins(), {
    pod,
    node: withoutPods(node, uids),
    nodes: handle.nodes(),
    withNominated: handle.withNominated,
  });

/**
 * Upstream's order (pickOneNodeForPreemption): the lowest highest priority, the lowest sum, the fewest pods, the
 * latest start among those of the highest priority. There the fewest violated PodDisruptionBudgets come before all,
 * and pods they protect are given back first; here they are not served.
 */
export const leastHarm = (candidates: readonly Candidate[], nowMs: number): Candidate | undefined =>
  candidates.toSorted((a, b) => {
    // 2^31 makes all priorities positive, so that fewer negative ones aren't worse than more of them.
    const sum = ({ victims }: Candidate) =>
      victims.reduce((total, victim) => total + priorityOf(victim) + 2 ** 31, 0);
    const earliest = (candidate: Candidate) =>
      Math.min(
        ...candidate.victims
          .filter((victim) => priorityOf(victim) === highestPriority(candidate))
          .map((victim) => startMsOf(victim, nowMs)),
      );
    return (
      highestPriority(a) - highestPriority(b) ||
      sum(a) - sum(b) ||
      a.victims.length - b.victims.length ||
      earliest(b) - earliest(a)
    );
  })[0];

const highestPriority = ({ victims }: Candidate): number => Math.max(...victims.map(priorityOf));
