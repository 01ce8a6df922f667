import type { Container, ContainerStatus, PodStatus, Probe } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import type { ProbeResult } from '../actions/pod-actions.ts';
import { restartsAfter } from '../actions/restart-policy.ts';
import { isTerminalPhase } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { ProbeOutcome } from './run-probe.ts';

export type ProbeType = 'startup' | 'liveness' | 'readiness';

export interface ProbeWorkerOptions {
  type: ProbeType;
  container: Container;
  spec: Probe;
  clock: Clock;
  pod(): KubeletPod | undefined;
  status(): PodStatus | undefined;
  probe(containerId: string): Promise<ProbeOutcome>;
  /** Tells the outcome as an event. */
  report(outcome: ProbeOutcome | { result: 'errored'; output: string }): void;
  /** The result that counts, after the thresholds; undefined: the container is gone. */
  setResult(containerId: string, result: ProbeResult | undefined): void;
  hasResult(containerId: string): boolean;
  /** Containers that began before this (ms) belong to a kubelet before this one. */
  restartedBeforeMs: number;
  onEnd(): void;
}

export interface ProbeWorker {
  /** Probes now instead of at the next period: the container may have become ready. */
  trigger(): void;
  stop(): void;
}

const initialResults: Record<ProbeType, ProbeResult> = {
  startup: 'unknown',
  liveness: 'success',
  readiness: 'failure',
};

/**
 * Probes one container every periodSeconds, the first time at once; how long a probe takes is part of the period. The Pod's own status
 * says which container runs.
 *
 *     new container ─► initial result ─► (initialDelay, startup first) ─► probes ─► threshold reached ─► result
 *                                                        liveness failed: on hold until the next container
 */
export function startProbeWorker(options: ProbeWorkerOptions): ProbeWorker {
  const { clock, spec } = options;
  const state: State = { containerId: '', onHold: false, lastResult: undefined, run: 0 };
  let cancelTimer = () => {};
  let stopped = false;
  let busy = false;
  let triggered = false;
  const periodMs = (spec.periodSeconds ?? 10) * 1000;
  let dueMs = clock.now();
  const stop = () => {
    if (stopped) return;
    stopped = true;
    cancelTimer();
    if (state.containerId) options.setResult(state.containerId, undefined);
    options.onEnd();
  };
  const round = async () => {
    if (stopped || busy) return;
    busy = true;
    cancelTimer();
    const goOn = await probeOnce(options, state);
    busy = false;
    if (!goOn) return stop();
    if (stopped) return;
    if (triggered) return trigger();
    // As of a ticker: of the times that a long probe has missed one is made up for.
    const nowMs = clock.now();
    dueMs += periodMs * Math.max(1, Math.floor((nowMs - dueMs) / periodMs));
    if (dueMs > nowMs + periodMs) dueMs = nowMs + periodMs; // the clock was set back
    cancelTimer = clock.after(Math.max(0, dueMs - nowMs), start);
  };
  const start = () => void round();
  const trigger = () => {
    triggered = busy;
    if (busy) return;
    dueMs = clock.now();
    start();
  };
  start();
  return { trigger, stop };
}

interface State {
  containerId: string;
  onHold: boolean;
  lastResult: 'success' | 'failure' | undefined;
  run: number;
}

/** Resolves with false when there is nothing to probe any more. */
async function probeOnce(options: ProbeWorkerOptions, state: State): Promise<boolean> {
  const { type, container, spec, clock } = options;
  const pod = options.pod();
  const podStatus = options.status();
  if (!pod || !podStatus) return true;
  if (isTerminalPhase(podStatus.phase)) return false;
  const status = statusNamed(podStatus, container.name);
  if (!status?.containerID) return true;
  // A worker that comes after the end has nothing to say; each of its results would wake the Pod, which would start it again.
  const isNew = state.containerId === '';
  if (isNew && endedForGood(options, pod, status)) return false;
  followContainer(options, state, status);
  if (state.onHold) return true;
  if (!status.state?.running) return notRunning(options, { pod, state, status });
  if (pod.metadata.deletionTimestamp && type !== 'readiness') {
    options.setResult(state.containerId, 'success');
    return false;
  }
  const ageMs = clock.now() - Date.parse(status.state.running.startedAt ?? '');
  if (ageMs < (spec.initialDelaySeconds ?? 0) * 1000) return true;
  if ((status.started ?? false) === (type === 'startup')) return true;
  await runAndCount(options, state);
  return true;
}

const statusNamed = (status: PodStatus, name: string) =>
  [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find(
    (one) => one.name === name,
  );

const idOf = (containerID: string) => containerID.replace(/^.*:\/\//, '');

/** A new container begins with the initial result; one that an earlier kubelet has probed keeps what the status says. */
function followContainer(options: ProbeWorkerOptions, state: State, status: ContainerStatus): void {
  const id = idOf(status.containerID ?? '');
  if (state.containerId === id) return;
  if (state.containerId) options.setResult(state.containerId, undefined);
  Object.assign(state, { containerId: id, onHold: false, lastResult: undefined, run: 0 });
  const startedAt = status.state?.running?.startedAt;
  const adopted = startedAt !== undefined && Date.parse(startedAt) < options.restartedBeforeMs;
  if (adopted && options.type === 'startup' && status.started) options.setResult(id, 'success');
  else if (!adopted) options.setResult(id, initialResults[options.type]);
}

function notRunning(
  options: ProbeWorkerOptions,
  { pod, state, status }: { pod: KubeletPod; state: State; status: ContainerStatus },
): boolean {
  options.setResult(state.containerId, 'failure');
  return !endedForGood(options, pod, status);
}

function endedForGood(
  { container }: ProbeWorkerOptions,
  { spec }: KubeletPod,
  { state }: ContainerStatus,
): boolean {
  if (!state?.terminated) return false;
  return !restartsAfter({ container, spec, exitCode: state.terminated.exitCode });
}

async function runAndCount(options: ProbeWorkerOptions, state: State): Promise<void> {
  const { type, spec } = options;
  const { containerId } = state;
  const outcome = await tryProbe(options, containerId);
  if (!outcome || state.containerId !== containerId) return;
  const result = outcome.result === 'failure' ? 'failure' : 'success';
  if (state.lastResult === result) state.run += 1;
  else Object.assign(state, { lastResult: result, run: 1 });
  const threshold = result === 'failure' ? (spec.failureThreshold ?? 3) : (spec.successThreshold ?? 1);
  if (state.run < threshold) return;
  options.setResult(containerId, result);
  // Failed liveness: the container is about to be killed. Startup: either way it is decided.
  if (type === 'startup' || (type === 'liveness' && result === 'failure')) {
    state.onHold = true;
    state.run = 0;
  }
}

const maxTries = 3;

/** A probe that cannot be run counts neither way, after three tries. */
async function tryProbe(options: ProbeWorkerOptions, containerId: string): Promise<ProbeOutcome | undefined> {
  let failure: unknown;
  for (let attempt = 0; attempt < maxTries; attempt += 1) {
    try {
      const outcome = await options.probe(containerId);
      if (outcome.result !== 'success') options.report(outcome);
      return outcome;
    } catch (error) {
      failure = error;
    }
  }
  const output = failure instanceof Error ? failure.message : String(failure);
  options.report({ result: 'errored', output });
  return undefined;
}
