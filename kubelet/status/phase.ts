import type { ContainerStateTerminated, ContainerStatus } from '../../api/types.ts';
import { restartingAll } from '../actions/restart-all.ts';
import { restartsAfter } from '../actions/restart-policy.ts';
import { isSidecar, isStaticPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed';

export interface PhaseInput {
  pod: KubeletPod;
  /** Of init and regular containers. */
  statuses: ContainerStatus[];
  /** No container runs and none will ever again. */
  isTerminal: boolean;
  /** A regular container has run in the present sandbox. */
  hasStarted: boolean;
}

/** The Pod's phase from its containers' states (upstream: getPhase). */
export function phaseOf(input: PhaseInput): Phase {
  const init = countInit(input);
  const main = countMain(input);
  if (init.failedForGood > 0) return 'Failed';
  if (init.pending > 0 || main.waiting > 0) return 'Pending';
  if (main.pendingSidecars > 0 && !input.hasStarted) return 'Pending';
  if (main.unknown > 0) return 'Pending';
  if (main.running > 0) return 'Running';
  if (main.stopped === 0) return 'Pending';
  if (input.isTerminal && !isStaticPod(input.pod)) return ended(main);
  return main.stopped === main.stoppedForGood ? ended(main) : 'Running';
}

const ended = ({ stopped, succeeded }: MainCounts): Phase => (stopped === succeeded ? 'Succeeded' : 'Failed');

const statusNamed = ({ statuses }: PhaseInput, name: string) =>
  statuses.find((status) => status.name === name);

/** How the container ended that is not running now; one that was removed to start anew has not. */
function endOf(status: ContainerStatus | undefined): ContainerStateTerminated | undefined {
  const { state, lastState } = status ?? {};
  if (state?.terminated) return state.terminated;
  if (!state?.waiting || lastState?.terminated?.reason === restartingAll.reason) return undefined;
  return lastState?.terminated;
}

/** Init containers that run to their end. */
function countInit(input: PhaseInput) {
  const counts = { pending: 0, failedForGood: 0 };
  const { spec } = input.pod;
  for (const container of (spec.initContainers ?? []).filter((one) => !isSidecar(one))) {
    const status = statusNamed(input, container.name);
    const terminated = endOf(status);
    if (!terminated) counts.pending += 1;
    else if (terminated.exitCode !== 0) {
      const { exitCode } = terminated;
      if (!restartsAfter({ container, spec, exitCode })) counts.failedForGood += 1;
    }
  }
  return counts;
}

interface MainCounts {
  running: number;
  waiting: number;
  unknown: number;
  pendingSidecars: number;
  stopped: number;
  stoppedForGood: number;
  succeeded: number;
}

/** Sidecars and regular containers. */
function countMain(input: PhaseInput): MainCounts {
  const counts: MainCounts = {
    running: 0,
    waiting: 0,
    unknown: 0,
    pendingSidecars: 0,
    stopped: 0,
    stoppedForGood: 0,
    succeeded: 0,
  };
  const { spec } = input.pod;
  for (const { name } of (spec.initContainers ?? []).filter(isSidecar)) {
    countSidecar(counts, statusNamed(input, name));
  }
  for (const container of spec.containers) {
    const status = statusNamed(input, container.name);
    const { state } = status ?? {};
    const terminated = endOf(status);
    if (state?.running) counts.running += 1;
    else if (terminated) {
      const { exitCode } = terminated;
      counts.stopped += 1;
      if (!restartsAfter({ container, spec, exitCode })) counts.stoppedForGood += 1;
      if (state?.terminated && exitCode === 0) counts.succeeded += 1;
    } else if (state?.waiting) counts.waiting += 1;
    else counts.unknown += 1;
  }
  return counts;
}

/** Sidecars that have ended do not count. */
function countSidecar(counts: MainCounts, status: ContainerStatus | undefined): void {
  if (!status) counts.unknown += 1;
  else if (status.state?.running) {
    counts.running += 1;
    if (!status.started) counts.pendingSidecars += 1;
  } else if (status.state?.terminated) return;
  else if (!status.state?.waiting) counts.pendingSidecars += 1;
  else if (!status.lastState?.terminated) {
    counts.pendingSidecars += 1;
    counts.waiting += 1;
  }
}
