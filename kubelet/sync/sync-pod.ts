import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isRestartingAll, triggersOf } from '../actions/restart-all.ts';
import { syncContainers } from '../containers/sync-containers.ts';
import type { SyncOutcome } from '../containers/sync-containers.ts';
import { messageOf } from '../cri/cri-error.ts';
import { removeDeadContainers } from '../garbage/dead-containers.ts';
import { isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { MountError } from '../volumes/mount-error.ts';
import type { SyncResult } from '../workers/pod-worker.ts';
import { deadlineOf } from './deadline.ts';
import { restartAll } from './restart-all.ts';
import type { PodSyncContext } from './sync-context.ts';
import { runtimeOf, tellStatus } from './tell-status.ts';

/**
 * One step of a running Pod towards its spec: status, cgroup, folders, volumes, then sandbox and containers.
 * Nothing on the way waits for the API server; when the Pod is to end, `signal` aborts what may take long: the waiting for volumes, image
 * pulls, hooks, and containers that take their time to end.
 */
export async function syncPod(
  context: PodSyncContext,
  pod: KubeletPod,
  signal: AbortSignal,
): Promise<SyncResult> {
  const { uid } = pod.metadata;
  context.beforeSync?.(pod);
  const status = tellStatus(context, pod);
  if (isTerminalPhase(status.phase)) return { isTerminal: true };
  const deadlineMs = deadlineOf(pod, status);
  if (deadlineMs <= context.clock.now()) {
    const reason = 'DeadlineExceeded';
    const message = 'Pod was active on the node longer than the specified deadline';
    context.events.pod(pod, 'Normal', reason, message);
    context.fail(pod, { reason, message });
    return {};
  }
  await prepare(context, pod, signal);
  signal.throwIfAborted();
  context.probes.addPod(pod);
  context.localStorage.watch(pod);
  if (isRestartingAll(status)) {
    const result = await restartAll(context, pod);
    return { ...result, retryAtMs: Math.min(deadlineMs, result.retryAtMs ?? Infinity) };
  }
  const runtime = runtimeOf(context, pod);
  // A container has asked for it since the status was told, and must not start alone.
  if (triggersOf(pod, runtime).length > 0) return { again: true };
  const outcome = await syncContainers(context.containers, {
    pod: withAddresses(pod, status),
    status: runtime,
    signal,
  });
  if (outcome.acted) await seeEffect(context, uid, outcome);
  tellStatus(context, pod);
  removeDeadContainers(context, pod).catch((error: unknown) =>
    context.log.warn({ pod: pod.metadata.name, error: messageOf(error) }, 'cannot remove dead containers'),
  );
  return {
    again: outcome.acted,
    retryAtMs: Math.min(
      deadlineMs,
      outcome.retryAtMs ?? (outcome.failed ? context.clock.now() + failureRetryMs : Infinity),
    ),
  };
}

/** The cache shall show what was done before anything is decided anew: by events, which mostly are there already. */
async function seeEffect(
  { cache }: PodSyncContext,
  uid: string,
  { started, ended, failed }: SyncOutcome,
): Promise<void> {
  if (failed || started.length + ended.length === 0) {
    await cache.inspect(uid);
    return;
  }
  await cache.waitFor(uid, (status) => {
    const stateOf = (id: string) => status?.containers.find((one) => one.id === id)?.state;
    return (
      started.every((id) => ['running', 'exited'].includes(stateOf(id) ?? '')) &&
      ended.every((id) => stateOf(id) !== 'running')
    );
  });
}

/** A failed sandbox is tried again after this. */
const failureRetryMs = 2000;

/** The addresses that are known by now, for containers of a Pod on the host's network. */
const withAddresses = (pod: KubeletPod, status: KubeletPod['status']): KubeletPod => ({
  ...pod,
  status: { ...pod.status, ...pick(status, ['podIP', 'podIPs', 'hostIP', 'hostIPs']) },
});

const pick = (status: KubeletPod['status'], fields: (keyof KubeletPod['status'])[]) =>
  Object.fromEntries(fields.flatMap((field) => (status[field] ? [[field, status[field]]] : [])));

async function prepare(context: PodSyncContext, pod: KubeletPod, signal: AbortSignal): Promise<void> {
  const { events, cgroups, folders, volumes } = context;
  try {
    await cgroups.ensure(pod);
  } catch (error) {
    const message = `unable to ensure pod container exists: ${messageOf(error)}`;
    events.pod(pod, 'Warning', 'FailedCreatePodContainer', message);
    throw error;
  }
  await mkdir(join(folders.pods, pod.metadata.uid), { recursive: true, mode: 0o750 });
  volumes.syncPod(pod);
  try {
    await volumes.waitForMount(pod, { signal });
  } catch (error) {
    if (error instanceof MountError && error.limitExceeded) {
      const failure = { reason: 'VolumeAttachmentLimitExceeded', message: error.message };
      events.pod(pod, 'Warning', failure.reason, failure.message);
      context.fail(pod, failure);
    }
    const interrupted = signal.aborted || (error as { interrupted?: boolean }).interrupted === true;
    if (!interrupted) {
      const message = `Unable to attach or mount volumes: ${messageOf(error)}`;
      events.pod(pod, 'Warning', 'FailedMount', message);
    }
    throw error;
  }
}
