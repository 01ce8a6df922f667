import { isDeepStrictEqual } from 'node:util';
import type { Pod, PodCondition } from './types.ts';

/**
 * The condition that tells of a Pod why it is about to be ended; undefined when the Pod has that very one. While it is
 * True it keeps the time of the first reason (upstream: UpdatePodCondition in pkg/api/v1/pod/util.go).
 */
export function disruptionTarget(
  { metadata, status }: Pod,
  { reason, message, now }: { reason: string; message: string; now: string },
): PodCondition | undefined {
  const present = status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  const { generation } = metadata ?? {};
  const condition = {
    ...present,
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    message,
    lastTransitionTime: present?.status === 'True' ? (present.lastTransitionTime ?? now) : now,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  return isDeepStrictEqual(condition, present) ? undefined : condition;
}
