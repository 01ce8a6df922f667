import type { Clock } from '../../client/clock.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletPod } from '../pod.ts';

/**
 * The life of a Pod on this node (upstream: pod_workers.go). Each state only ever goes to the right:
 *
 *     syncing ──────────────► terminating ──────────────► terminated ──────────► finished
 *      runs the Pod            ends its containers         frees volumes and      nothing is left
 *                                                          cgroup, last status
 *
 * A restarted kubelet begins every Pod at `syncing`, or at `terminating` when it is marked deleted, and the runtime's
 * containers are found again by their labels.
 */
export type WorkerState = 'syncing' | 'terminating' | 'terminated' | 'finished';

/** When to sync next, unless something happens before. */
export interface SyncResult {
  /** The Pod has run to its end: go on to terminating. */
  isTerminal?: boolean;
  /** Milliseconds since 1970. */
  retryAtMs?: number | undefined;
  /** Something was done whose effect is to be looked at: sync again at once. */
  again?: boolean;
}

export interface WorkerSteps {
  syncPod(pod: KubeletPod, signal: AbortSignal): Promise<SyncResult>;
  /** Ends the containers within `graceSeconds`; `signal` aborts when a shorter grace period takes over. */
  syncTerminating(pod: KubeletPod, options: TerminationOptions): Promise<void>;
  syncTerminated(pod: KubeletPod): Promise<void>;
  /** The worker is done with the Pod. */
  onFinished(pod: KubeletPod): void;
}

export interface TerminationOptions {
  graceSeconds: number;
  /** Why the kubelet itself ends the Pod; goes into the status. */
  failure: PodFailure | undefined;
  signal: AbortSignal;
}

export interface PodFailure {
  reason: string;
  message: string;
  /** The Pod was never admitted: there is nothing to tell of its containers. */
  isRejection?: boolean;
}

export interface PodWorker {
  readonly state: WorkerState;
  readonly pod: KubeletPod;
  readonly failure: PodFailure | undefined;
  /** The Pod has changed, or the runtime or a probe has told something new. */
  update(pod?: KubeletPod): void;
  /** Only the Pod's status has changed: it is taken over, and nothing is done. */
  observe(pod: KubeletPod): void;
  /** Ends the Pod: it is deleted, evicted, or its time is over. Grace periods only ever get shorter. */
  terminate(options?: { failure?: PodFailure; graceSeconds?: number }): void;
  stop(): void;
}

export interface PodWorkerOptions {
  pod: KubeletPod;
  steps: WorkerSteps;
  clock: Clock;
  log: KubeletLog;
  /** A sync even when nothing happens; one minute as upstream. */
  resyncMs?: number;
}

const failedStepRetryMs = 1000;

/** Runs the steps of one Pod one after the other; updates that come meanwhile are taken together. */
export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { steps, clock, log, resyncMs = 60_000 } = options;
  let { pod } = options;
  let state: WorkerState = 'syncing';
  let failure: PodFailure | undefined;
  let grace: number | undefined;
  let stopped = false;
  let pending = false;
  let running = false;
  let cancelTimer = () => {};
  let current = new AbortController();

  const wake = () => {
    pending = true;
    if (running || stopped) return;
    running = true;
    void run();
  };
  const scheduleAt = (atMs: number) => {
    cancelTimer();
    if (!stopped) cancelTimer = clock.after(Math.max(0, atMs - clock.now()), wake);
  };
  const run = async () => {
    while (pending && !stopped && state !== 'finished') {
      pending = false;
      cancelTimer();
      current = new AbortController();
      try {
        await step(current.signal);
      } catch (error) {
        if (!current.signal.aborted) {
          const { name } = pod.metadata;
          log.warn({ pod: name, state, error: messageOf(error) }, 'pod sync failed');
          scheduleAt(clock.now() + failedStepRetryMs);
        }
      }
    }
    running = false;
  };
  const step = async (signal: AbortSignal) => {
    switch (state) {
      case 'syncing': {
        const result = await steps.syncPod(pod, signal);
        if (result.isTerminal) toTerminating();
        else if (result.again) pending = true;
        else scheduleAt(Math.min(result.retryAtMs ?? Infinity, clock.now() + resyncMs));
        break;
      }
      case 'terminating':
        await steps.syncTerminating(pod, { graceSeconds: grace ?? 1, failure, signal });
        state = 'terminated';
        pending = true;
        break;
      case 'terminated':
        await steps.syncTerminated(pod);
        state = 'finished';
        steps.onFinished(pod);
        break;
      case 'finished':
        break;
    }
  };
  const toTerminating = (graceSeconds?: number) => {
    if (state === 'syncing') {
      state = 'terminating';
      grace = effectiveGrace({ pod, before: undefined, override: graceSeconds });
      current.abort();
      wake();
      return;
    }
    const shorter = effectiveGrace({ pod, before: grace, override: graceSeconds });
    if (state !== 'terminating' || grace === undefined || shorter >= grace) return;
    grace = shorter;
    // StopContainer under way is left and asked for again with less time.
    current.abort();
    wake();
  };
  return {
    get state() {
      return state;
    },
    get pod() {
      return pod;
    },
    get failure() {
      return failure;
    },
    update(next) {
      if (next) pod = next;
      // What ends has no use for news about itself, except a shorter grace period.
      if (pod.metadata.deletionTimestamp) toTerminating();
      else if (state === 'syncing') wake();
    },
    observe(next) {
      pod = next;
    },
    terminate({ failure: why, graceSeconds } = {}) {
      failure ??= why;
      toTerminating(graceSeconds);
    },
    stop() {
      stopped = true;
      cancelTimer();
      current.abort();
    },
  };
}

/** Seconds, at least 1; never longer than before (upstream: calculateEffectiveGracePeriod). */
export function effectiveGrace({
  pod: { metadata, spec },
  before,
  override,
}: {
  pod: KubeletPod;
  before: number | undefined;
  override: number | undefined;
}): number {
  const asked = [before, metadata.deletionGracePeriodSeconds, override].filter((one) => one !== undefined);
  const grace = asked.length > 0 ? Math.min(...asked) : (spec.terminationGracePeriodSeconds ?? 1);
  return Math.max(1, grace);
}
