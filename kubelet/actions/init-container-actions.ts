import type { Container } from '../../api/types.ts';
import { hashOf } from '../containers/labels.ts';
import { isSidecar } from '../pod.ts';
import { containerNamed } from '../runtime-status/runtime-status.ts';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import type { KillReason, PodActions, PodActionsInput } from './pod-actions.ts';
import { shouldStart } from './restart-policy.ts';

/**
 * Adds what the init containers need to `actions`, and tells whether the Pod is initialized. From the last to the
 * first: the last one that exists decides how far the Pod has come.
 *
 *     init 0 ─ exited 0 ─► init 1 (sidecar) ─ started ─► init 2 ─ exited 0 ─► regular containers
 *                             └─ runs on, restarted whenever it ends ─────────────────────────►
 */
export function computeInitContainerActions(input: PodActionsInput, actions: PodActions): boolean {
  const { pod, status } = input;
  const initContainers = pod.spec.initContainers ?? [];
  if (initContainers.length === 0) return true;
  const walk: Walk = { input, actions, initialized: regularContainerActive(input), seen: false };
  walk.seen = walk.initialized;
  for (const [index, container] of [...initContainers.entries()].reverse()) {
    const current = containerNamed(status, container.name);
    if (!current) {
      if (walk.seen && isSidecar(container)) actions.initContainersToStart.push(index);
      continue;
    }
    if (walk.seen && !isSidecar(container)) continue;
    visit(walk, { index, container, current, isLast: index === initContainers.length - 1 });
    if (actions.killPod) return false;
    walk.seen = true;
  }
  if (!walk.seen) actions.initContainersToStart.push(0);
  actions.initContainersToStart.reverse();
  return walk.initialized;
}

interface Walk {
  input: PodActionsInput;
  actions: PodActions;
  initialized: boolean;
  /** A later container exists already, so everything before it has been initialized once. */
  seen: boolean;
}

interface Visit {
  index: number;
  container: Container;
  current: RuntimeContainer;
  isLast: boolean;
}

const regularContainerActive = ({ pod, status }: PodActionsInput): boolean =>
  pod.spec.containers.some(({ name }) => {
    const state = containerNamed(status, name)?.state;
    return state === 'created' || state === 'running';
  });

function visit(walk: Walk, visited: Visit): void {
  switch (visited.current.state) {
    case 'created':
      walk.actions.initContainersToStart.push(visited.index);
      break;
    case 'running':
      if (isSidecar(visited.container)) visitRunningSidecar(walk, visited);
      break;
    case 'exited':
      visitExited(walk, visited);
      break;
    case 'unknown':
      visitUnknown(walk, visited);
      break;
  }
}

function visitRunningSidecar(walk: Walk, visited: Visit): void {
  const { container, current } = visited;
  const { probes } = walk.input;
  if (container.startupProbe) {
    const startup = probes.startup(current.id);
    if (startup === 'failure') {
      killAndRestart(walk, visited, {
        message: `Init container ${container.name} failed startup probe`,
        reason: 'StartupProbe',
      });
    }
    if (startup !== 'success') return;
  }
  goOn(walk, visited);
  if (current.hash !== hashOf(container)) {
    killAndRestart(walk, visited, {
      message: `Init container ${container.name} definition changed`,
    });
  } else if (container.livenessProbe && probes.liveness(current.id) === 'failure') {
    killAndRestart(walk, visited, {
      message: `Init container ${container.name} failed liveness probe`,
      reason: 'LivenessProbe',
    });
  }
}

/** This init container has done its part: the next one starts, or the Pod is initialized. */
function goOn(walk: Walk, { index, isLast }: Visit): void {
  if (isLast) walk.initialized = true;
  else if (!walk.seen) walk.actions.initContainersToStart.push(index + 1);
}

function visitExited(walk: Walk, visited: Visit): void {
  const { container, current, index } = visited;
  const { pod, status } = walk.input;
  if (isSidecar(container)) {
    walk.actions.initContainersToStart.push(index);
  } else if (current.exitCode === 0) {
    goOn(walk, visited);
  } else if (shouldStart(pod, container, status)) {
    walk.actions.initContainersToStart.push(index);
  } else {
    giveUp(walk);
  }
}

function visitUnknown(walk: Walk, visited: Visit): void {
  const { container } = visited;
  const policy = container.restartPolicy ?? walk.input.pod.spec.restartPolicy;
  if (policy === 'Never') return giveUp(walk);
  killAndRestart(walk, visited, {
    message: 'Init container is in "unknown" state, try killing it before restart',
    reason: 'Unknown',
  });
}

function giveUp({ actions }: Walk): void {
  actions.killPod = true;
  actions.initContainersToStart = [];
}

function killAndRestart(
  { actions }: Walk,
  { index, container, current }: Visit,
  why: { message: string; reason?: KillReason },
): void {
  actions.containersToKill.push({ id: current.id, container, ...why });
  actions.initContainersToStart.push(index);
}
