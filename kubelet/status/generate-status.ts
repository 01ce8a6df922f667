import type { ContainerStatus, PodStatus } from '../../api/types.ts';
import { isRestartingAll } from '../actions/restart-all.ts';
import { isSidecar, isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { qosClassOf } from '../resources/pod-resources.ts';
import type { PodRuntimeStatus, RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { conditionsOf, readyConditions } from './conditions.ts';
import { containerStatuses } from './container-statuses.ts';
import { phaseOf } from './phase.ts';
import type { Phase } from './phase.ts';
import type { PodFailure } from '../workers/pod-worker.ts';
import type { StartFailures } from './start-failures.ts';

/** What probes say of a container: whether it has started and is ready. */
export interface Readiness {
  isStarted(pod: KubeletPod, status: ContainerStatus): boolean;
  isReady(pod: KubeletPod, status: ContainerStatus): boolean;
}

export interface StatusContext {
  nodeIp: string;
  runtimeName: string;
  failures: StartFailures;
  readiness: Readiness;
  terminationMessage(container: RuntimeContainer): string;
}

export interface StatusInput {
  pod: KubeletPod;
  runtime: PodRuntimeStatus;
  /** The status last told, else the API server's. */
  previous: PodStatus;
  /** No container runs and none will ever again. */
  isTerminal: boolean;
  /** A decision that ends the Pod (deadline, eviction): phase Failed with this reason and message. */
  failure?: PodFailure | undefined;
}

/** The Pod's whole status (upstream: generateAPIPodStatus). */
export function generateStatus(context: StatusContext, input: StatusInput): PodStatus {
  const { pod, runtime, previous, isTerminal } = input;
  if (input.failure?.isRejection) return rejectedStatus(input, input.failure);
  if (wasRejected(pod)) return pod.status;
  const statuses = allStatuses(context, input);
  const { containerStatuses, initContainerStatuses = [] } = statuses;
  const both = [...initContainerStatuses, ...containerStatuses];
  const started = both.some(
    ({ name, state }) =>
      pod.spec.containers.some((container) => container.name === name) &&
      (state?.running !== undefined || state?.terminated !== undefined),
  );
  const computed = phaseOf({ pod, statuses: both, isTerminal, hasStarted: started });
  const phase = lastingPhase(input.failure ? 'Failed' : computed, input);
  const why = input.failure ?? (phase === previous.phase ? previous : {});
  const reason = why.reason ?? (phase === pod.status.phase ? pod.status.reason : undefined);
  const message = why.message ?? (phase === pod.status.phase ? pod.status.message : undefined);
  return {
    phase,
    conditions: conditionsOf({ pod, previous, runtime, phase, statuses: both }),
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...addresses(context, input),
    startTime: previous.startTime ?? pod.status.startTime ?? startTimeNow(),
    qosClass: pod.status.qosClass ?? qosClassOf(pod),
    ...statuses,
    ...observed(pod),
  };
}

/**
 * The status that was told, with what probes say by now: for a Pod whose worker may be busy, as it is while containers end. Nothing else
 * of the Pod is looked at (upstream: SetContainerReadiness, SetContainerStartup).
 */
export function withProbeResults(
  { readiness }: Pick<StatusContext, 'readiness'>,
  pod: KubeletPod,
  told: PodStatus,
): PodStatus {
  if (!told.containerStatuses) return told;
  const containerStatuses = told.containerStatuses.map((status) => withProbes(readiness, pod, status));
  const initContainerStatuses = told.initContainerStatuses?.map((status) =>
    initWithProbes(readiness, pod, status),
  );
  const both = [...containerStatuses, ...(initContainerStatuses ?? [])];
  return {
    ...told,
    containerStatuses,
    ...(initContainerStatuses ? { initContainerStatuses } : {}),
    conditions: readyConditions(pod, told, both),
  };
}

/** Nothing else is said of a Pod that was not admitted (upstream: rejectPod). */
const rejectedStatus = ({ pod, previous }: StatusInput, { reason, message }: PodFailure): PodStatus => ({
  phase: 'Failed',
  reason,
  message,
  startTime: previous.startTime ?? startTimeNow(),
  qosClass: pod.status.qosClass ?? qosClassOf(pod),
  ...observed(pod),
});

const wasRejected = ({ status }: KubeletPod): boolean =>
  status.phase === 'Failed' && status.reason !== undefined && status.containerStatuses === undefined;

const startTimeNow = (): string => `${new Date().toISOString().slice(0, 19)}Z`;

const observed = ({ metadata }: KubeletPod): Partial<PodStatus> =>
  metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };

/** A Pod never leaves Succeeded or Failed. */
function lastingPhase(phase: Phase, { pod, previous }: StatusInput): Phase {
  const { phase: told } = pod.status;
  if (isTerminalPhase(told)) return told as Phase;
  if (isTerminalPhase(previous.phase) && !isTerminalPhase(phase)) return previous.phase as Phase;
  return phase;
}

function allStatuses(
  context: StatusContext,
  { pod, runtime, previous }: StatusInput,
): Required<Pick<PodStatus, 'containerStatuses'>> & PodStatus {
  const { spec } = pod;
  const common = { ...context, pod, runtime, isRestartingAll: isRestartingAll(previous) };
  const regular = containerStatuses({
    ...common,
    containers: spec.containers,
    isInit: false,
    previous: previous.containerStatuses ?? [],
  });
  const init = containerStatuses({
    ...common,
    containers: spec.initContainers ?? [],
    isInit: true,
    previous: previous.initContainerStatuses ?? [],
  });
  const ephemeral = containerStatuses({
    ...common,
    containers: spec.ephemeralContainers ?? [],
    isInit: false,
    previous: previous.ephemeralContainerStatuses ?? [],
  });
  const { readiness } = context;
  return {
    containerStatuses: regular.map((status) => withProbes(readiness, pod, status)),
    ...(init.length > 0
      ? { initContainerStatuses: init.map((status) => initWithProbes(readiness, pod, status)) }
      : {}),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral.map(withoutStarted) } : {}),
  };
}

/** Ephemeral containers have no probes. */
function withoutStarted(status: ContainerStatus): ContainerStatus {
  const { ...rest } = status;
  delete rest.started;
  return rest;
}

function withProbes(readiness: Readiness, pod: KubeletPod, status: ContainerStatus): ContainerStatus {
  const started = readiness.isStarted(pod, status);
  return { ...status, started, ready: started && readiness.isReady(pod, { ...status, started }) };
}

/** An init container that runs to its end is ready when it has ended well. */
function initWithProbes(readiness: Readiness, pod: KubeletPod, status: ContainerStatus): ContainerStatus {
  const container = pod.spec.initContainers?.find(({ name }) => name === status.name);
  if (container && isSidecar(container)) return withProbes(readiness, pod, status);
  const ready = status.state?.terminated?.exitCode === 0;
  return { ...status, started: readiness.isStarted(pod, status), ready };
}

function addresses({ nodeIp }: StatusContext, { pod, runtime, previous }: StatusInput): Partial<PodStatus> {
  const ips = runtime.ips.length > 0 ? runtime.ips : pod.spec.hostNetwork ? [nodeIp] : [];
  const kept = ips.length > 0 ? ips : (previous.podIPs ?? []).flatMap(({ ip }) => ip ?? []);
  const [podIP] = kept;
  return {
    hostIP: nodeIp,
    hostIPs: [{ ip: nodeIp }],
    ...(podIP ? { podIP, podIPs: kept.map((ip) => ({ ip })) } : {}),
  };
}
