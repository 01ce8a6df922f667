import { containersToReset, triggersOf } from '../actions/restart-all.ts';
import { resetContainers } from '../containers/reset-containers.ts';
import { formatPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { SyncResult } from '../workers/pod-worker.ts';
import type { PodSyncContext } from './sync-context.ts';
import { runtimeOf } from './tell-status.ts';

/**
 * Removes all containers of a Pod of which one has asked to start anew; the next sync starts the first init container. Whoever asks
 * again and again waits as long as a container that fails again and again.
 */
export async function restartAll(context: PodSyncContext, pod: KubeletPod): Promise<SyncResult> {
  const retryAtMs = heedBackOff(context, pod);
  if (retryAtMs !== undefined) return { retryAtMs };
  await resetContainers(context, pod, runtimeOf(context, pod));
  await context.cache.waitFor(pod.metadata.uid, (seen) => !seen || containersToReset(pod, seen).length === 0);
  return { again: true };
}

function heedBackOff(context: PodSyncContext, pod: KubeletPod): number | undefined {
  const [trigger] = triggersOf(pod, runtimeOf(context, pod));
  if (!trigger) return undefined;
  const { crashLoop } = context.containers;
  const key = `${pod.metadata.uid}_${trigger.name}_restart-all`;
  const finishedMs = trigger.finishedAt / 1e6;
  const countedMs = crashLoop.endsAtMs(key) - crashLoop.get(key);
  if (countedMs >= finishedMs) return undefined; // It has begun before, and was interrupted.
  if (!crashLoop.isInBackOffSince(key, finishedMs)) {
    crashLoop.next(key, finishedMs);
    return undefined;
  }
  const message = `Back-off restarting failed container ${trigger.name} in pod ${formatPod(pod)}`;
  context.events.container({ pod, container: trigger.name }, 'Warning', 'BackOff', message);
  return finishedMs + crashLoop.get(key);
}
