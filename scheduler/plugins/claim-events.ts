import { claimsOfPod } from '../../api/storage/pod-claims.ts';
import type { Pod } from '../../api/types.ts';
import type { ClusterEvent } from '../framework/cluster-event.ts';

/** Whether an event is about one of the pod's claims, those of its ephemeral volumes included. */
export const concernsClaimOf = (pod: Pod, { object }: ClusterEvent): boolean =>
  object?.metadata?.namespace === pod.metadata?.namespace &&
  claimsOfPod(pod).some(({ name }) => name === object?.metadata?.name);

/** Whether an event is about one of the claims that the pod names itself. */
export const concernsNamedClaimOf = (pod: Pod, { object }: ClusterEvent): boolean =>
  object?.metadata?.namespace === pod.metadata?.namespace &&
  claimsOfPod(pod).some(({ name, isEphemeral }) => !isEphemeral && name === object?.metadata?.name);
