import type * as cri from '../../runtime/cri/types.ts';
import { computePodActions } from '../actions/pod-actions.ts';
import type { PodActions, ProbeResults } from '../actions/pod-actions.ts';
import { describeError } from '../cri/cri-error.ts';
import type { Slots } from '../cri/slots.ts';
import { containerType } from '../kubelet-counters.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod, NamedContainer } from '../pod.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';
import { sandboxIps } from '../runtime-status/runtime-status.ts';
import type { StartFailures } from '../status/start-failures.ts';
import { killContainer } from './kill-container.ts';
import { killPod } from './kill-pod.ts';
import { startContainer } from './start-container.ts';
import type { StartContext } from './start-container.ts';
import { StartError } from './start-error.ts';

export interface SyncContext extends StartContext {
  probes: ProbeResults;
  failures: StartFailures;
  sandboxConfigOf(pod: KubeletPod, attempt: number): cri.Sent<cri.PodSandboxConfig>;
  /** Empty: the runtime's own choice. */
  runtimeHandlerOf(pod: KubeletPod): Promise<string>;
  isTerminating(uid: string): boolean;
  /** What the runtime's events have told of a Pod by now. */
  seenOf: (uid: string) => PodRuntimeStatus | undefined;
  /** How many sandboxes are made at the same time: when many Pods come at once, the first are not to wait for all. */
  sandboxSlots: Slots;
}

/** When a failed step without a back-off of its own is tried again. */
const retryAfterFailureMs = 10_000;

/** How a sync went: whether it did anything, and when the next try of what failed is due. */
export interface SyncOutcome {
  acted: boolean;
  failed: boolean;
  /** IDs of containers that were started, and of containers that were ended. */
  started: string[];
  ended: string[];
  /** Milliseconds since 1970. */
  retryAtMs?: number;
}

export interface SyncInput {
  pod: KubeletPod;
  status: PodRuntimeStatus;
  /** The Pod is to end: then nothing that may take long is waited for, and the sync rejects. */
  signal: AbortSignal;
}

/** Brings the runtime to the Pod's spec: kill what must go, make the sandbox, start what must run. */
export async function syncContainers(context: SyncContext, input: SyncInput): Promise<SyncOutcome> {
  const actions = computePodActions({ ...input, probes: context.probes });
  const outcome: SyncOutcome = { acted: false, failed: false, started: [], ended: [] };
  const sync: Sync = { ...input, context, actions, outcome };
  await killFirst(sync);
  if (actions.killPod && !actions.createSandbox) return outcome;
  const sandbox = await ensureSandbox(sync);
  if (!sandbox) return outcome;
  await startAll({ ...sync, ...sandbox });
  return outcome;
}

interface Sync extends SyncInput {
  context: SyncContext;
  actions: PodActions;
  outcome: SyncOutcome;
}

async function killFirst({ context, pod, status, signal, actions, outcome }: Sync): Promise<void> {
  const { events } = context;
  if (actions.createSandbox && actions.sandboxId) {
    events.pod(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
  }
  if (actions.killPod) {
    outcome.acted ||= status.sandboxes.some(({ state }) => state === 'SANDBOX_READY');
    await killPod(context, { pod, status, signal });
    if (actions.createSandbox) await removeInitContainers({ context, pod, status, keep: 0 });
    return;
  }
  for (const { id, message, reason } of actions.containersToKill) {
    const running = status.containers.find((container) => container.id === id);
    if (!running) continue;
    outcome.acted = true;
    outcome.ended.push(id);
    await killContainer(context, { pod, running, podIp: status.ips[0] ?? '', message, reason, signal });
  }
  await removeInitContainers({ context, pod, status, keep: 1 });
}

/** Ended init containers are not kept for long: the newest is enough, a new sandbox needs none. */
async function removeInitContainers({
  context,
  pod,
  status,
  keep,
}: Pick<Sync, 'context' | 'pod' | 'status'> & { keep: number }): Promise<void> {
  for (const { name } of pod.spec.initContainers ?? []) {
    const ended = status.containers.filter(
      (container) =>
        container.name === name && container.state !== 'running' && container.state !== 'created',
    );
    for (const { id } of ended.slice(keep)) {
      await context.cri
        .call('RemoveContainer', { containerId: id })
        .catch((error: unknown) =>
          context.log.warn({ id, error: describeError(error) }, 'cannot remove an init container'),
        );
    }
  }
}

interface Sandbox {
  sandboxId: string;
  sandboxConfig: cri.Sent<cri.PodSandboxConfig>;
  podIps: string[];
}

async function ensureSandbox({ context, pod, status, actions, outcome }: Sync): Promise<Sandbox | undefined> {
  const { cri, events } = context;
  if (!actions.createSandbox) {
    const sandboxConfig = context.sandboxConfigOf(pod, actions.attempt);
    return { sandboxId: actions.sandboxId, sandboxConfig, podIps: podIpsOf(pod, status.ips) };
  }
  try {
    const sandboxConfig = context.sandboxConfigOf(pod, actions.attempt);
    const runtimeHandler = await context.runtimeHandlerOf(pod);
    context.counters.startedPods.inc();
    const { podSandboxId } = await context.sandboxSlots.run(() =>
      cri.call('RunPodSandbox', { config: sandboxConfig, runtimeHandler }, { timeoutMs: 240_000 }),
    );
    outcome.acted = true;
    const ips = await ipsOf(context, pod, podSandboxId);
    return { sandboxId: podSandboxId, sandboxConfig, podIps: podIpsOf(pod, ips) };
  } catch (error) {
    // A Pod that is being deleted meanwhile fails here, and that is nobody's concern.
    if (context.isTerminating(pod.metadata.uid)) return undefined;
    context.counters.startedPodErrors.inc();
    const message = `Failed to create pod sandbox: ${describeError(error)}`;
    events.pod(pod, 'Warning', 'FailedCreatePodSandBox', message);
    outcome.failed = true;
    return undefined;
  }
}

/** The event of its start has mostly come before the answer to RunPodSandbox; else the runtime is asked. */
async function ipsOf({ cri, seenOf }: SyncContext, pod: KubeletPod, podSandboxId: string): Promise<string[]> {
  const seen = seenOf(pod.metadata.uid)?.sandboxes.find(({ id }) => id === podSandboxId);
  const known = seen ? sandboxIps(seen) : [];
  if (known.length > 0) return known;
  const { status: sandbox } = await cri.call('PodSandboxStatus', { podSandboxId });
  return sandbox ? sandboxIps(sandbox) : [];
}

/** A Pod on the host's network has the host's addresses, which the status has. */
const podIpsOf = (pod: KubeletPod, ips: string[]): string[] =>
  ips.length > 0 ? ips : (pod.status.podIPs ?? []).flatMap(({ ip }) => ip ?? []);

async function startAll(sync: Sync & Sandbox): Promise<void> {
  const { pod, actions } = sync;
  const { spec } = pod;
  for (const index of actions.ephemeralContainersToStart) {
    const ephemeral = spec.ephemeralContainers?.[index];
    if (!ephemeral) continue;
    const { targetContainerName, ...container } = ephemeral;
    await start(sync, {
      container,
      kind: 'ephemeral container',
      ...(targetContainerName ? { targetContainerName } : {}),
    });
  }
  for (const index of actions.initContainersToStart) {
    const container = spec.initContainers?.[index];
    if (!container) continue;
    const started = await start(sync, { container, kind: 'init container' });
    if (!started && !isSidecar(container)) return;
  }
  for (const index of actions.containersToStart) {
    const container = spec.containers[index];
    if (container) await start(sync, { container, kind: 'container' });
  }
}

async function start(sync: Sync & Sandbox, named: NamedContainer): Promise<boolean> {
  const { context, pod, outcome } = sync;
  const { uid } = pod.metadata;
  if (context.isTerminating(uid)) return false;
  const { name } = named.container;
  try {
    outcome.started.push(await startContainer(context, { ...sync, named }));
    context.failures.set(uid, name, undefined);
    outcome.acted = true;
    return true;
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    context.failures.set(uid, name, { reason: error.reason, message: error.message });
    countFailure(sync, named, error);
    outcome.failed = true;
    outcome.acted ||= ['RunContainerError', 'PostStartHookError'].includes(error.reason);
    const retryAtMs = error.retryAtMs ?? context.clock.now() + retryAfterFailureMs;
    outcome.retryAtMs = Math.min(outcome.retryAtMs ?? Infinity, retryAtMs);
    return false;
  }
}

/** One that waits for its turn was not started. */
function countFailure({ context }: Sync, { kind }: NamedContainer, { reason }: StartError): void {
  if (reason === 'CrashLoopBackOff') return;
  context.counters.startedContainerErrors.inc({ container_type: containerType(kind), code: reason });
}
