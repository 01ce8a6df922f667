import { disruptionTarget } from '../../../api/disruption-target.ts';
import type { Pod } from '../../../api/types.ts';
import { timeOf } from '../../../client/clock.ts';
import { isNotFound } from '../../../client/errors.ts';
import { keyOf } from '../../../client/objects.ts';
import { pods } from '../../../client/resources.ts';
import type { SchedulerHandle } from '../../framework/handle.ts';
import { priorityOf } from './dry-run.ts';
import type { Candidate } from './dry-run.ts';

/**
 * Makes room for the pod: marks the victims as disrupted and deletes them with their own grace period, or calls off
 * what was about to bind them (upstream's Executor.PreemptPod), and tells less important pods nominated for the node to
 * look elsewhere. Never rejects; false when a call failed.
 */
export const evict = async (
  pod: Pod,
  { node, victims }: Candidate,
  handle: SchedulerHandle,
): Promise<boolean> => {
  const outbid = handle.nominatedOn(node.name).filter((other) => priorityOf(other) < priorityOf(pod));
  const results = await Promise.allSettled([
    ...outbid.map((other) => clearNomination(other, handle)),
    ...victims.map((victim) => evictOne(victim, { pod, nodeName: node.name, handle })),
  ]);
  const errors = results.flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  if (errors.length === 0) return true;
  handle.onError(new AggregateError(errors, `making room for pod ${keyOf(pod)} on node ${node.name}`));
  return false;
};

/** The pod's update then frees the pods that had yielded to it, and itself. */
const clearNomination = async (
  { metadata, status }: Pod,
  { client }: Pick<SchedulerHandle, 'client'>,
): Promise<void> => {
  if ((status?.nominatedNodeName ?? '') === '') return;
  const { name = '', namespace, uid } = metadata ?? {};
  const patch = { metadata: { uid }, status: { nominatedNodeName: null } };
  await ignoreNotFound(
    client.resource(pods).patch({ name, namespace, type: 'strategic', subresource: 'status', patch }),
  );
};

/** A victim that is not bound yet only goes back to the queue. */
const evictOne = async (
  victim: Pod,
  { pod, nodeName, handle }: { pod: Pod; nodeName: string; handle: SchedulerHandle },
): Promise<void> => {
  if (victim.metadata?.deletionTimestamp !== undefined) return;
  const isCancelled = handle.cancelPreBind(victim);
  if (!isCancelled && !(await markAndDelete(victim, handle))) return;
  const where = `by pod ${pod.metadata?.uid ?? ''} on node ${nodeName}`;
  const message = `Preempted ${where}${isCancelled ? ' (in kube-scheduler memory).' : ''}`;
  handle.recorder.event({ object: victim, type: 'Normal', reason: 'Preempted', message });
};

/** Answers false when the victim is gone already. */
const markAndDelete = (victim: Pod, { client, schedulerName, clock }: SchedulerHandle): Promise<boolean> => {
  const resource = client.resource(pods);
  const { name = '', namespace, uid } = victim.metadata ?? {};
  const condition = disruptionTarget(victim, {
    reason: 'PreemptionByScheduler',
    message: `${schedulerName}: preempting to accommodate a higher priority pod`,
    now: timeOf(clock.now()),
  });
  const mark = async () => {
    if (condition === undefined) return;
    const patch = { metadata: { uid }, status: { conditions: [condition] } };
    await resource.patch({ name, namespace, type: 'strategic', subresource: 'status', patch });
  };
  return ignoreNotFound(mark().then(() => resource.delete({ name, namespace, preconditions: { uid } })));
};

/** Answers false when the object is gone, which is as good. */
const ignoreNotFound = async (call: Promise<unknown>): Promise<boolean> => {
  try {
    await call;
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
};
