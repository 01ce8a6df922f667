import type { PodStatus } from '../../api/types.ts';
import type { KubeletPod } from '../pod.ts';
import { emptyRuntimeStatus } from '../runtime-status/runtime-status.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import { generateStatus, withProbeResults } from '../status/generate-status.ts';
import type { PodFailure } from '../workers/pod-worker.ts';
import { previousStatus } from './sync-context.ts';
import type { PodSyncContext } from './sync-context.ts';

/** The runtime's present picture of the Pod. */
export const runtimeOf = ({ cache }: PodSyncContext, { metadata }: KubeletPod): PodRuntimeStatus =>
  cache.get(metadata.uid) ?? emptyRuntimeStatus(metadata);

/** Makes the Pod's status anew and hands it to the status manager, which writes it in the background. */
export function tellStatus(
  context: PodSyncContext,
  pod: KubeletPod,
  { isTerminal = false, failure }: { isTerminal?: boolean; failure?: PodFailure | undefined } = {},
): PodStatus {
  const status = generateStatus(context.statusContext, {
    pod,
    runtime: runtimeOf(context, pod),
    previous: previousStatus(context, pod),
    isTerminal,
    failure,
  });
  context.statuses.set(pod, status);
  return status;
}

/** Tells at once what a probe has found, whatever the Pod's worker is busy with. */
export function tellProbeResults(context: PodSyncContext, pod: KubeletPod): void {
  const told = context.statuses.get(pod.metadata.uid);
  if (told) context.statuses.set(pod, withProbeResults(context.statusContext, pod, told));
}
