import type { Container } from '../../api/types.ts';
import { hashOf } from '../containers/labels.ts';
import type { KubeletPod } from '../pod.ts';
import { containerNamed } from '../runtime-status/runtime-status.ts';
import type { PodRuntimeStatus, RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { computeInitContainerActions } from './init-container-actions.ts';
import { restartsAfterKill, shouldStart } from './restart-policy.ts';
import { sandboxChange } from './sandbox-change.ts';

export type ProbeResult = 'success' | 'failure' | 'unknown';

/** The latest result of a probe of a container, by container ID; undefined when it has no such probe. */
export interface ProbeResults {
  liveness(containerId: string): ProbeResult | undefined;
  startup(containerId: string): ProbeResult | undefined;
}

export type KillReason = 'LivenessProbe' | 'StartupProbe' | 'FailedPostStartHook' | 'Unknown';

export interface ContainerToKill {
  id: string;
  container: Container;
  message: string;
  reason?: KillReason;
}

/** What one sync has to do to bring the runtime to the spec. */
export interface PodActions {
  /** End all containers and the sandbox; with createSandbox a new one follows. */
  killPod: boolean;
  createSandbox: boolean;
  sandboxId: string;
  attempt: number;
  /** Indices into spec.initContainers, spec.containers, spec.ephemeralContainers. */
  initContainersToStart: number[];
  containersToStart: number[];
  ephemeralContainersToStart: number[];
  containersToKill: ContainerToKill[];
}

export interface PodActionsInput {
  pod: KubeletPod;
  status: PodRuntimeStatus;
  probes: ProbeResults;
}

/** Compares spec and runtime; pure. The rules are those of upstream's kuberuntime computePodActions. */
export function computePodActions(input: PodActionsInput): PodActions {
  const { pod, status } = input;
  const { changed, attempt, sandboxId } = sandboxChange(pod, status);
  const actions: PodActions = {
    killPod: changed,
    createSandbox: changed,
    sandboxId,
    attempt,
    initContainersToStart: [],
    containersToStart: [],
    ephemeralContainersToStart: [],
    containersToKill: [],
  };
  if (changed) return actionsForNewSandbox(input, actions);
  actions.ephemeralContainersToStart = neverStartedEphemeralContainers(pod, status);
  const initialized = computeInitContainerActions(input, actions);
  if (actions.killPod || !initialized) return actions;
  computeRegularContainerActions(input, actions);
  return actions;
}

/** A new sandbox starts the Pod from its first init container, unless the Pod has already run to its end. */
function actionsForNewSandbox({ pod, status }: PodActionsInput, actions: PodActions): PodActions {
  const { spec } = pod;
  const alreadyRan = actions.attempt !== 0 && status.containers.length > 0;
  if (spec.restartPolicy === 'Never' && alreadyRan) return { ...actions, createSandbox: false };
  const containersToStart = spec.containers.flatMap((container, index) =>
    isDone({ pod, container, status }) ? [] : [index],
  );
  if (containersToStart.length === 0 && anyRegularContainerCreated(pod, status)) {
    return { ...actions, createSandbox: false };
  }
  if (spec.initContainers?.length) return { ...actions, initContainersToStart: [0] };
  return { ...actions, containersToStart };
}

const isDone = ({
  pod,
  container,
  status,
}: {
  pod: KubeletPod;
  container: Container;
  status: PodRuntimeStatus;
}): boolean => {
  const policy = container.restartPolicy ?? pod.spec.restartPolicy;
  const current = containerNamed(status, container.name);
  return policy === 'OnFailure' && current?.state === 'exited' && current.exitCode === 0;
};

/** Whether a regular container has ever been made: then the init containers are over. */
export const anyRegularContainerCreated = ({ spec }: KubeletPod, status: PodRuntimeStatus): boolean =>
  spec.containers.some(({ name }) => {
    const state = containerNamed(status, name)?.state;
    return state !== undefined && state !== 'unknown';
  });

/** Ephemeral containers start at most once, and before initialization is over. */
const neverStartedEphemeralContainers = ({ spec }: KubeletPod, status: PodRuntimeStatus) =>
  (spec.ephemeralContainers ?? []).flatMap(({ name }, index) =>
    containerNamed(status, name) ? [] : [index],
  );

function computeRegularContainerActions(input: PodActionsInput, actions: PodActions): void {
  const { pod, status } = input;
  let kept = 0;
  for (const [index, container] of pod.spec.containers.entries()) {
    const current = containerNamed(status, container.name);
    if (current?.state !== 'running') {
      startIfWanted({ input, actions, container, index, current });
      continue;
    }
    const reason = reasonToKill(input, { container, current });
    if (!reason) {
      kept += 1;
      continue;
    }
    const restart = reason.restart ?? restartsAfterKill(container, pod.spec);
    if (restart) actions.containersToStart.push(index);
    actions.containersToKill.push({
      id: current.id,
      container,
      message: restart ? `${reason.message}, will be restarted` : reason.message,
      ...(reason.kill ? { reason: reason.kill } : {}),
    });
  }
  if (kept > 0 || actions.containersToStart.length > 0) return;
  actions.killPod = true;
  // Otherwise sidecars would keep a Pod alive whose work is done.
  actions.initContainersToStart = [];
}

function startIfWanted({
  input: { pod, status },
  actions,
  container,
  index,
  current,
}: {
  input: PodActionsInput;
  actions: PodActions;
  container: Container;
  index: number;
  current: RuntimeContainer | undefined;
}): void {
  if (!shouldStart(pod, container, status)) return;
  actions.containersToStart.push(index);
  // Nobody knows whether it runs: never have two of them.
  if (current?.state === 'unknown') {
    actions.containersToKill.push({
      id: current.id,
      container,
      message: 'Container is in "unknown" state, try killing it before restart',
      reason: 'Unknown',
    });
  }
}

interface ReasonToKill {
  message: string;
  kill?: KillReason;
  restart?: boolean;
}

function reasonToKill(
  { probes }: PodActionsInput,
  { container, current }: { container: Container; current: RuntimeContainer },
): ReasonToKill | undefined {
  const { name } = container;
  if (current.hash !== hashOf(container)) {
    return { message: `Container ${name} definition changed`, restart: true };
  }
  if (probes.liveness(current.id) === 'failure') {
    return { message: `Container ${name} failed liveness probe`, kill: 'LivenessProbe' };
  }
  if (probes.startup(current.id) === 'failure') {
    return { message: `Container ${name} failed startup probe`, kill: 'StartupProbe' };
  }
  return undefined;
}
