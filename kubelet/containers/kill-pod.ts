import { isNotFound } from '../cri/cri-error.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { runningContainers } from '../runtime-status/runtime-status.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import { killContainer } from './kill-container.ts';
import type { KillContext } from './kill-container.ts';
import { createTerminationOrder } from './termination-order.ts';

export interface KillPodOptions {
  pod: KubeletPod;
  status: PodRuntimeStatus;
  /** Seconds. */
  gracePeriodOverride?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Ends all containers of a Pod at the same time (sidecars last), then its sandboxes. Rejects with the first error. */
export async function killPod(context: KillContext, options: KillPodOptions): Promise<void> {
  const { pod, status, gracePeriodOverride, signal } = options;
  const running = runningContainers(status);
  const order = pod.spec.initContainers?.some(isSidecar)
    ? createTerminationOrder({
        pod,
        running: running.map(({ name }) => name),
        clock: context.clock,
      })
    : undefined;
  const podIp = status.ips[0] ?? pod.status.podIP ?? '';
  await allDone(
    running.map((container) =>
      killContainer(context, { pod, running: container, podIp, gracePeriodOverride, order, signal }),
    ),
  );
  await allDone(
    status.sandboxes
      .filter(({ state }) => state === 'SANDBOX_READY')
      .map(({ id }) => stopSandbox(context, id)),
  );
}

/** Waits for all before it rejects, so that nothing goes on behind the caller's back. */
export async function allDone(promises: Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'rejected') throw result.reason;
  }
}

async function stopSandbox({ cri }: KillContext, podSandboxId: string): Promise<void> {
  await cri.call('StopPodSandbox', { podSandboxId }).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}
