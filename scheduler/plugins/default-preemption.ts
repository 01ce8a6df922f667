import type { Pod } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import { timeOf } from '../../client/clock.ts';
import { pods } from '../../client/resources.ts';
import { createCycleState } from '../framework/cycle-state.ts';
import { fitErrorMessage } from '../framework/fit-error.ts';
import type { PluginFactory, SchedulerHandle } from '../framework/handle.ts';
import { withoutPods } from '../framework/node-info.ts';
import type { NodeInfo } from '../framework/node-info.ts';
import { unresolvable } from '../framework/plugin.ts';
import type { Rejection } from '../framework/plugin.ts';
import { findFeasibleNodes } from '../framework/run-plugins.ts';

interface Candidate {
  node: NodeInfo;
  victims: Pod[];
}

/**
 * When no node fits, looks for one where removing pods of lower priority would help, nominates it, and deletes as
 * few and as unimportant pods as possible there. Once they are gone the pod is tried again.
 */
export const defaultPreemption: PluginFactory = (handle) => ({
  name: 'DefaultPreemption',
  postFilter({ pod, rejections, absent }) {
    if (pod.spec?.preemptionPolicy === 'Never') {
      return { message: 'preemption: not eligible due to preemptionPolicy=Never.' };
    }
    if (isPreempting(pod, handle)) {
      return { message: 'preemption: not eligible due to a terminating pod on the nominated node.' };
    }
    const candidates: Candidate[] = [];
    const failures = new Map<string, Rejection>();
    for (const node of handle.nodes()) {
      const rejection = rejections.get(node.name) ?? absent;
      if (rejection?.code !== 'Unschedulable') continue;
      const result = selectVictims(pod, node, handle);
      if ('code' in result) failures.set(node.name, result);
      else candidates.push({ node, victims: result });
    }
    const best = leastHarm(candidates);
    if (best === undefined) {
      return {
        nominatedNodeName: '',
        message: `preemption: ${fitErrorMessage({
          nodeCount: handle.nodes().length,
          rejections: failures,
          absent: unresolvable('Preemption is not helpful for scheduling'),
        })}`,
      };
    }
    void evict(pod, best, handle);
    return { nominatedNodeName: best.node.name };
  },
});

const priorityOf = (pod: Pod) => pod.spec?.priority ?? 0;
const startOf = (pod: Pod) => pod.status?.startTime ?? '';

/** An earlier preemption for this pod is still under way. */
const isPreempting = (pod: Pod, handle: SchedulerHandle): boolean => {
  const nominated = handle.nodes().find(({ name }) => name === pod.status?.nominatedNodeName);
  return [...(nominated?.pods.values() ?? [])].some(
    ({ pod: other }) =>
      other.metadata?.deletionTimestamp !== undefined &&
      priorityOf(other) < priorityOf(pod) &&
      (other.status?.conditions ?? []).some(
        ({ type, reason }) => type === 'DisruptionTarget' && reason === 'PreemptionByScheduler',
      ),
  );
};

/** Takes all less important pods away, then gives back the most important ones as long as the pod still fits. */
const selectVictims = (pod: Pod, node: NodeInfo, handle: SchedulerHandle): Pod[] | Rejection => {
  const lower = [...node.pods.values()]
    .map((info) => info.pod)
    .filter((other) => priorityOf(other) < priorityOf(pod))
    .sort(byImportance);
  if (lower.length === 0) return unresolvable('No preemption victims found for incoming pod');
  const removed = new Set(lower.map(({ metadata }) => metadata?.uid ?? ''));
  const rejection = fitsOn(pod, withoutPods(node, removed), handle);
  if (rejection !== undefined) return rejection;
  for (const { metadata } of lower) {
    const uid = metadata?.uid ?? '';
    removed.delete(uid);
    if (fitsOn(pod, withoutPods(node, removed), handle) !== undefined) removed.add(uid);
  }
  return lower.filter(({ metadata }) => removed.has(metadata?.uid ?? ''));
};

const byImportance = (a: Pod, b: Pod): number =>
  priorityOf(b) - priorityOf(a) || startOf(a).localeCompare(startOf(b));

const fitsOn = (pod: Pod, changed: NodeInfo, handle: SchedulerHandle): Rejection | undefined => {
  const nodes = handle.nodes().map((node) => (node.name === changed.name ? changed : node));
  const { feasible, rejections, absent } = findFeasibleNodes(handle.plugins(), {
    pod,
    state: createCycleState(),
    nodes,
  });
  return feasible.includes(changed) ? undefined : (rejections.get(changed.name) ?? absent);
};

/** Upstream's order: the lowest highest priority, the lowest sum, the fewest pods, the latest start. */
const leastHarm = (candidates: readonly Candidate[]): Candidate | undefined =>
  candidates.toSorted((a, b) => {
    const highest = ({ victims }: Candidate) => Math.max(...victims.map(priorityOf));
    // 2^31 makes all priorities positive, so that fewer negative ones aren't worse than more of them.
    const sum = ({ victims }: Candidate) =>
      victims.reduce((total, victim) => total + priorityOf(victim) + 2 ** 31, 0);
    const earliest = ({ victims }: Candidate) => victims.map(startOf).sort()[0] ?? '';
    return (
      highest(a) - highest(b) ||
      sum(a) - sum(b) ||
      a.victims.length - b.victims.length ||
      earliest(b).localeCompare(earliest(a))
    );
  })[0];

/** Marks the victims as disrupted and deletes them with their own grace period. */
const evict = async (
  pod: Pod,
  { node, victims }: Candidate,
  { client, recorder, schedulerName }: SchedulerHandle,
): Promise<void> => {
  const resource = client.resource(pods);
  await Promise.all(
    victims.map(async (victim) => {
      const { name = '', namespace, uid, deletionTimestamp } = victim.metadata ?? {};
      if (deletionTimestamp !== undefined) return;
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'PreemptionByScheduler',
        message: `${schedulerName}: preempting to accommodate a higher priority pod`,
        lastTransitionTime: timeOf(Date.now()),
      };
      try {
        const patch = { metadata: { uid }, status: { conditions: [condition] } };
        await resource.patch({ name, namespace, type: 'strategic', subresource: 'status', patch });
        await resource.delete({ name, namespace, preconditions: { uid } });
        const message = `Preempted by pod ${pod.metadata?.uid ?? ''} on node ${node.name}`;
        recorder.event({ object: victim, type: 'Normal', reason: 'Preempted', message });
      } catch (error) {
        if (isNotFound(error)) return;
        const message = `Could not preempt: ${error instanceof Error ? error.message : String(error)}`;
        recorder.event({ object: pod, type: 'Warning', reason: 'FailedPreemption', message });
      }
    }),
  );
};
