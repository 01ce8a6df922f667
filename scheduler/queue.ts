import type { Pod } from '../api/types.ts';
import { systemClock } from '../client/clock.ts';
import type { Clock } from '../client/clock.ts';
import type { ClusterEvent } from './framework/cluster-event.ts';
import type { Plugin } from './framework/plugin.ts';
import { createSortedList } from './sorted-list.ts';

/** A pod that waits for a node, with its history of tries. */
export interface QueuedPod {
  pod: Pod;
  addedAtMs: number;
  /** How often plugins have rejected it, and how often errors came since: one slow server is no long back-off. */
  rejections: number;
  errors: number;
  failedAtMs: number;
  /** The plugins whose rejections held it back last time; none after an error. */
  rejectedBy: ReadonlySet<string>;
  /** The last try ended with an error rather than a rejection: its back-off is never cut short. */
  hadError: boolean;
}

/**
 * The pods that wait for a node (upstream's PriorityQueue):
 *
 *     add ──▶ active ──pop──▶ (cycle) ──rejected──▶ unschedulable ──event that may help──▶ back-off ──▶ active
 *              ▲                └──error──▶ back-off                                           │
 *              └── gated: held by a plugin's preEnqueue         no active pod: popped at once ─┘
 */
export interface SchedulingQueue {
  add(pod: Pod): void;
  update(pod: Pod, previous: Pod): void;
  remove(pod: Pod): void;
  pop(): QueuedPod | undefined;
  /** After a failed try. */
  requeue(queued: QueuedPod, failure: { rejectedBy: ReadonlySet<string>; hadError: boolean }): void;
  /** Frees the pods that this event may help, of those that it concerns. */
  moveOnEvent(event: ClusterEvent, concerns?: (pod: Pod) => boolean): void;
  /** A pod that was rejected or is gated is tried again at once; after an error when its back-off is over. */
  activate(pod: Pod, options?: { afterError?: boolean }): void;
  stop(): void;
  readonly sizes: { active: number; backingOff: number; unschedulable: number; gated: number };
}

/** Upstream's values: 1 s to 10 s of back-off; looked at again after 5 min at the latest. */
const initialBackOffMs = 1000;
const maxBackOffMs = 10_000;
const maxUnschedulableMs = 5 * 60_000;
const flushIntervalMs = 30_000;

/** `onReady` is called whenever a pod can be popped. */
export const createSchedulingQueue = ({
  plugins,
  onReady,
  clock = systemClock,
}: {
  plugins: () => readonly Plugin[];
  onReady: () => void;
  clock?: Clock;
}): SchedulingQueue => {
  const active = createSortedList(isMoreUrgent, uidOf);
  const backingOff = createSortedList<QueuedPod>((a, b) => backOffEndMs(a) < backOffEndMs(b), uidOf);
  const unschedulable = new Map<string, QueuedPod>();
  const gated = new Map<string, QueuedPod>();
  let cancelTimer: (() => void) | undefined;

  /** Whether a plugin keeps the pod out, which is then where it belongs. */
  const gate = (queued: QueuedPod): boolean => {
    const isRejected = plugins().some((plugin) => plugin.preEnqueue?.(queued.pod) !== undefined);
    if (isRejected) gated.set(uidOf(queued), queued);
    return isRejected;
  };

  const activate = (queued: QueuedPod) => {
    if (gate(queued)) return;
    active.insert(queued);
    onReady();
  };

  const delay = (queued: QueuedPod) => {
    if (backOffEndMs(queued) <= clock.now()) return activate(queued);
    if (gate(queued)) return;
    backingOff.insert(queued);
    schedule();
    // An idle scheduler has no reason to let a pod wait that an event may have helped.
    if (!queued.hadError) onReady();
  };

  const schedule = () => {
    cancelTimer?.();
    const first = backingOff.first();
    cancelTimer =
      first === undefined
        ? undefined
        : clock.after(Math.max(0, backOffEndMs(first) - clock.now()), releaseDue);
  };

  const releaseDue = () => {
    for (let due = backingOff.first(); due !== undefined && backOffEndMs(due) <= clock.now();) {
      backingOff.remove(uidOf(due));
      activate(due);
      due = backingOff.first();
    }
    schedule();
  };

  const flush = () => {
    for (const [uid, queued] of unschedulable) {
      if (clock.now() - queued.failedAtMs < maxUnschedulableMs) continue;
      unschedulable.delete(uid);
      delay(queued);
    }
    cancelFlush = clock.after(flushIntervalMs, flush);
  };
  let cancelFlush = clock.after(flushIntervalMs, flush);

  const take = (uid: string): QueuedPod | undefined => {
    const held = unschedulable.get(uid) ?? gated.get(uid);
    unschedulable.delete(uid);
    gated.delete(uid);
    return held ?? active.remove(uid) ?? backingOff.remove(uid);
  };

  return {
    add(pod) {
      const queued = take(pod.metadata?.uid ?? '');
      activate(queued === undefined ? newlyQueued(pod, clock.now()) : { ...queued, pod });
    },
    update(pod, previous) {
      const uid = pod.metadata?.uid ?? '';
      const holder = [unschedulable, gated].find((held) => held.has(uid));
      const isBackingOff = backingOff.has(uid);
      const queued = take(uid);
      if (queued === undefined) return;
      queued.pod = pod;
      if (isBackingOff) backingOff.insert(queued);
      else if (holder === undefined || changesScheduling(pod, previous)) activate(queued);
      else holder.set(uid, queued);
    },
    remove(pod) {
      take(pod.metadata?.uid ?? '');
      schedule();
    },
    pop() {
      return active.shift() ?? backingOff.shiftWhere(({ hadError }) => !hadError);
    },
    requeue(queued, { rejectedBy, hadError }) {
      const { rejections, errors } = queued;
      const counts = hadError ? { errors: errors + 1 } : { rejections: rejections + 1, errors: 0 };
      Object.assign(queued, { rejectedBy, hadError, failedAtMs: clock.now(), ...counts });
      if (hadError) delay(queued);
      else unschedulable.set(uidOf(queued), queued);
    },
    moveOnEvent(event, concerns = () => true) {
      for (const [uid, queued] of unschedulable) {
        if (!concerns(queued.pod) || !mayHelp(plugins(), queued, event)) continue;
        unschedulable.delete(uid);
        delay(queued);
      }
    },
    activate(pod, { afterError = false } = {}) {
      const uid = pod.metadata?.uid ?? '';
      const queued = unschedulable.get(uid) ?? gated.get(uid) ?? backingOff.remove(uid);
      unschedulable.delete(uid);
      gated.delete(uid);
      if (queued === undefined) return;
      queued.hadError ||= afterError;
      if (afterError) delay(queued);
      else activate(queued);
    },
    stop() {
      cancelTimer?.();
      cancelFlush();
    },
    get sizes() {
      return {
        active: active.size,
        backingOff: backingOff.size,
        unschedulable: unschedulable.size,
        gated: gated.size,
      };
    },
  };
};

const uidOf = ({ pod }: QueuedPod): string => pod.metadata?.uid ?? '';

const newlyQueued = (pod: Pod, nowMs: number): QueuedPod => ({
  pod,
  addedAtMs: nowMs,
  rejections: 0,
  errors: 0,
  failedAtMs: 0,
  rejectedBy: new Set(),
  hadError: false,
});

/** Higher priority first, then who waits longer (upstream's PrioritySort). */
const isMoreUrgent = (a: QueuedPod, b: QueuedPod): boolean => {
  const [priorityA, priorityB] = [a.pod.spec?.priority ?? 0, b.pod.spec?.priority ?? 0];
  return priorityA === priorityB ? a.addedAtMs < b.addedAtMs : priorityA > priorityB;
};

const backOffEndMs = ({ rejections, errors, failedAtMs }: QueuedPod): number => {
  const failures = errors > 0 ? errors : rejections;
  return failures === 0 ? 0 : failedAtMs + Math.min(initialBackOffMs * 2 ** (failures - 1), maxBackOffMs);
};

const mayHelp = (
  plugins: readonly Plugin[],
  { pod, rejectedBy }: QueuedPod,
  event: ClusterEvent,
): boolean => {
  if (rejectedBy.size === 0) return true;
  return plugins.some(
    ({ name, hints = [] }) =>
      rejectedBy.has(name) &&
      hints.some(
        (hint) =>
          hint.resource === event.resource &&
          hint.actions.includes(event.action) &&
          (hint.mayHelp?.(pod, event) ?? true),
      ),
  );
};

/** The status is ours and the kubelet's to write; only what a user changed is a reason to try again. */
const changesScheduling = (pod: Pod, previous: Pod): boolean =>
  JSON.stringify([pod.spec, pod.metadata?.labels]) !==
  JSON.stringify([previous.spec, previous.metadata?.labels]);
