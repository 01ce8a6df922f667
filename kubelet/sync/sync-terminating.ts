import { killPod } from '../containers/kill-pod.ts';
import { describeError } from '../cri/cri-error.ts';
import type { KubeletPod } from '../pod.ts';
import { runningContainers } from '../runtime-status/runtime-status.ts';
import type { TerminationOptions } from '../workers/pod-worker.ts';
import type { PodSyncContext } from './sync-context.ts';
import { runtimeOf, tellStatus } from './tell-status.ts';

/** Ends all containers of the Pod and its sandbox; resolves when the runtime says that none runs. */
export async function syncTerminating(
  context: PodSyncContext,
  pod: KubeletPod,
  { graceSeconds, failure, signal }: TerminationOptions,
): Promise<void> {
  const { uid } = pod.metadata;
  context.localStorage.forget(uid);
  tellStatus(context, pod, { failure });
  context.probes.stopLivenessAndStartup(pod);
  const status = (await context.cache.inspect(uid)) ?? runtimeOf(context, pod);
  try {
    await killPod(context, { pod, status, gracePeriodOverride: graceSeconds, signal });
  } catch (error) {
    if (!signal.aborted) {
      const message = `error killing pod: ${describeError(error)}`;
      context.events.pod(pod, 'Warning', 'FailedKillPod', message);
    }
    throw error;
  }
  context.probes.removePod(uid);
  await context.cache.waitFor(
    uid,
    (seen) =>
      !seen ||
      (runningContainers(seen).length === 0 &&
        seen.sandboxes.every(({ state }) => state !== 'SANDBOX_READY')),
  );
  const stopped = context.cache.get(uid);
  const running = stopped ? runningContainers(stopped).map(({ id }) => id) : [];
  if (running.length > 0) {
    throw new Error(
      `detected running containers after a successful KillPod, CRI violation: [${running.join(' ')}]`,
    );
  }
  context.markStopped(uid);
  tellStatus(context, pod, { isTerminal: true, failure });
}
