import type { Pod } from '../../../api/types.ts';
import { fitErrorMessage } from '../../framework/fit-error.ts';
import type { PluginFactory, SchedulerHandle } from '../../framework/handle.ts';
import { unresolvable } from '../../framework/plugin.ts';
import type { Rejection } from '../../framework/plugin.ts';
import { leastHarm, priorityOf, selectVictims } from './dry-run.ts';
import type { Candidate } from './dry-run.ts';
import { evict } from './evict.ts';

/**
 * When no node fits, looks for one where removing pods of lower priority would help, nominates it, and deletes as
 * few and as unimportant pods as possible there. Once they are gone the pod is tried again.
 */
export const defaultPreemption: PluginFactory = (handle) => {
  /** The pods, by uid, whose victims aren't all told to go yet; true when they were kept out of the queue meanwhile. */
  const evicting = new Map<string, boolean>();
  const makeRoom = async (pod: Pod, best: Candidate): Promise<void> => {
    const uid = pod.metadata?.uid ?? '';
    evicting.set(uid, false);
    const isDone = await evict(pod, best, handle);
    const wasKeptOut = evicting.get(uid) === true;
    evicting.delete(uid);
    // No deletion may come that would wake the pod. Not at once, as upstream does: with the server away that would be a
    // loop without a pause.
    if (!isDone) handle.activate(pod, { afterError: true });
    else if (wasKeptOut) handle.activate(pod);
  };

  return {
    name: 'DefaultPreemption',
    preEnqueue({ metadata }) {
      const uid = metadata?.uid ?? '';
      if (!evicting.has(uid)) return undefined;
      evicting.set(uid, true);
      return unresolvable('waiting for the preemption for this pod to be finished');
    },
    postFilter({ pod, rejections, absent }) {
      if (pod.spec?.preemptionPolicy === 'Never') {
        return { message: 'preemption: not eligible due to preemptionPolicy=Never.' };
      }
      const onNominated = rejections.get(pod.status?.nominatedNodeName ?? '') ?? absent;
      if (isPreempting(pod, { handle, rejection: onNominated })) {
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
      const best = leastHarm(candidates, handle.clock.now());
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
      void makeRoom(pod, best);
      return { nominatedNodeName: best.node.name };
    },
  };
};

/** An earlier preemption for this pod is still under way, and can still help. */
const isPreempting = (
  pod: Pod,
  { handle, rejection }: { handle: SchedulerHandle; rejection: Rejection | undefined },
): boolean => {
  if (rejection?.code === 'UnschedulableAndUnresolvable') return false;
  const nominated = handle.nodes().find(({ name }) => name === pod.status?.nominatedNodeName);
  return [...(nominated?.pods.values() ?? [])].some(
    ({ pod: other }) =>
      other.metadata?.deletionTimestamp !== undefined &&
      priorityOf(other) < priorityOf(pod) &&
      (other.status?.conditions ?? []).some(
        ({ type, status, reason }) =>
          type === 'DisruptionTarget' && status === 'True' && reason === 'PreemptionByScheduler',
      ),
  );
};
