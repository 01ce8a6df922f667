import type { Clock } from '../../client/clock.ts';
import type { Container, LifecycleHandler } from '../../api/types.ts';
import type { KillReason } from '../actions/pod-actions.ts';
import type { CriClient } from '../cri/cri-client.ts';
import { isNotFound, messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { PodEvents } from '../pod-events.ts';
import { findContainer } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { annotationNames } from './labels.ts';
import { runHook } from './lifecycle-hooks.ts';
import { orAfter } from './termination-order.ts';
import type { TerminationOrder } from './termination-order.ts';

export interface KillContext {
  cri: CriClient;
  clock: Clock;
  events: PodEvents;
  log: KubeletLog;
}

export interface KillOptions {
  pod: KubeletPod;
  running: RuntimeContainer;
  podIp: string;
  message?: string;
  reason?: KillReason | undefined;
  /** Seconds; instead of the Pod's own. */
  gracePeriodOverride?: number | undefined;
  order?: TerminationOrder | undefined;
  /** Ends the waiting, for a kill with a shorter grace period that takes over. */
  signal?: AbortSignal | undefined;
}

/** What a stopped container gets at least, in seconds. */
const minimumGraceSeconds = 2;

/**
 * Ends one container: event Killing, preStop hook, its turn among sidecars, then SIGTERM and after the rest of the
 * grace period SIGKILL (by the runtime). A container that is gone is fine. Rejects with CriError.
 */
export async function killContainer(context: KillContext, options: KillOptions): Promise<void> {
  const { cri, events } = context;
  const { pod, running, order, signal } = options;
  const { name, id } = running;
  const message = options.message ?? `Stopping container ${name}`;
  events.container({ pod, container: name }, 'Normal', 'Killing', message);
  let grace = options.gracePeriodOverride ?? gracePeriodOf(options);
  const preStop = preStopOf(pod, running);
  if (preStop && grace > 0) grace -= await runPreStop(context, { ...options, preStop, grace });
  if (order && grace > 0) grace -= Math.floor(await order.waitForTurn(name, grace, signal));
  const timeout = Math.max(grace, minimumGraceSeconds);
  await cri
    .call('StopContainer', { containerId: id, timeout }, { timeoutMs: (timeout + 120) * 1000, signal })
    .catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  order?.terminated(name);
}

/** Seconds: of the deletion, else of the failed probe, else of the Pod (upstream: setTerminationGracePeriod). */
function gracePeriodOf({ pod, running, reason }: KillOptions): number {
  const { metadata, spec } = pod;
  if (metadata.deletionGracePeriodSeconds !== undefined) return metadata.deletionGracePeriodSeconds;
  if (spec.terminationGracePeriodSeconds === undefined) return minimumGraceSeconds;
  const container = findContainer(pod, running.name)?.container;
  return probeGracePeriod(container, reason) ?? spec.terminationGracePeriodSeconds;
}

function probeGracePeriod(container: Container | undefined, reason: KillReason | undefined) {
  if (reason === 'StartupProbe') return container?.startupProbe?.terminationGracePeriodSeconds;
  if (reason === 'LivenessProbe') return container?.livenessProbe?.terminationGracePeriodSeconds;
  return undefined;
}

/** From the spec; a Pod that nobody knows any more left it in the container's annotations. */
function preStopOf(pod: KubeletPod, running: RuntimeContainer): LifecycleHandler | undefined {
  const known = findContainer(pod, running.name);
  if (known) return known.container.lifecycle?.preStop;
  const stored = running.annotations[annotationNames.preStopHandler];
  return stored ? (JSON.parse(stored) as LifecycleHandler) : undefined;
}

/** Returns whole seconds that it took, at most the grace period. */
async function runPreStop(
  { cri, clock, events, log }: KillContext,
  options: KillOptions & { preStop: LifecycleHandler; grace: number },
): Promise<number> {
  const { pod, running, podIp, preStop, grace, signal } = options;
  const startMs = clock.now();
  const container = findContainer(pod, running.name)?.container ?? { name: running.name };
  const hook = runHook({
    cri,
    clock,
    events,
    pod,
    container,
    containerId: running.id,
    podIp,
    handler: preStop,
    signal,
  }).catch((error: unknown) => {
    // The message may hold secrets of the server that answered: it goes to the log only.
    log.warn(
      { pod: pod.metadata.name, container: running.name, error: messageOf(error) },
      'preStop hook failed',
    );
    events.container({ pod, container: running.name }, 'Warning', 'FailedPreStopHook', 'PreStopHook failed');
  });
  await orAfter(hook, { clock, delayMs: grace * 1000, signal });
  return Math.floor((clock.now() - startMs) / 1000);
}
