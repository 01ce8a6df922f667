import type { PodStatus } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';

/** When activeDeadlineSeconds is over, in milliseconds since 1970; Infinity without one. */
export function deadlineOf({ spec }: KubeletPod, { startTime }: PodStatus): number {
  if (spec.activeDeadlineSeconds === undefined || !startTime) return Infinity;
  return Date.parse(startTime) + spec.activeDeadlineSeconds * 1000;
}
