import type { Clock } from '../../client/clock.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import type { KubeletPod } from '../pod.ts';
import { createPodWorker } from './pod-worker.ts';
import type { PodFailure, PodWorker, WorkerSteps } from './pod-worker.ts';

/** One worker per Pod UID, from its first sight until it is forgotten. */
export interface PodWorkers {
  /** A Pod that this node is to run, new or changed. */
  update(pod: KubeletPod): void;
  /** The Pod is no longer wanted: its object is gone, or its file. */
  remove(pod: KubeletPod): void;
  /** Something happened to the Pod in the runtime or in its probes. */
  wake(uid: string): void;
  /** Ends the Pod for the kubelet's own reason; within `graceSeconds` instead of the Pod's own grace period. */
  fail(pod: KubeletPod, failure: PodFailure, graceSeconds?: number): void;
  get(uid: string): PodWorker | undefined;
  list(): PodWorker[];
  markStopped(uid: string): void;
  /** A container of the Pod may still run (upstream: PodCouldHaveRunningContainers). */
  couldHaveRunningContainers(uid: string): boolean;
  stop(): void;
}

export interface PodWorkersOptions {
  steps: Omit<WorkerSteps, 'onFinished'>;
  clock: Clock;
  log: KubeletLog;
  /** A finished Pod was deleted only now: frees what was kept for looking at. */
  cleanUpDeleted(pod: KubeletPod): Promise<void>;
  /** The Pod is over and no longer wanted: removes every trace. */
  forget(pod: KubeletPod): Promise<void>;
  /** Nothing of the Pod is left, its worker neither. */
  onForgotten(pod: KubeletPod): void;
}

interface Entry {
  worker: PodWorker;
  stopped: boolean;
  /** Its object is gone: forget it as soon as it has ended. */
  removed: boolean;
  forgetting: boolean;
  cleaning: boolean;
}

export function createPodWorkers(options: PodWorkersOptions): PodWorkers {
  const { steps, clock, log } = options;
  const entries = new Map<string, Entry>();
  let stopped = false;
  const add = (pod: KubeletPod): Entry => {
    const { uid } = pod.metadata;
    const worker = createPodWorker({
      pod,
      clock,
      log,
      steps: { ...steps, onFinished: () => forgetIfOver(uid) },
    });
    const entry = { worker, stopped: false, removed: false, forgetting: false, cleaning: false };
    entries.set(uid, entry);
    return entry;
  };
  const forgetIfOver = (uid: string) => {
    const entry = entries.get(uid);
    if (!entry?.removed || entry.worker.state !== 'finished' || entry.forgetting) return;
    entry.forgetting = true;
    const retry = (error: unknown) => {
      log.warn(
        { pod: entry.worker.pod.metadata.name, error: messageOf(error) },
        'cannot clean up after a pod',
      );
      entry.forgetting = false;
      if (!stopped) clock.after(1000, () => forgetIfOver(uid));
    };
    const { pod } = entry.worker;
    const done = () => {
      entries.delete(uid);
      options.onForgotten(pod);
    };
    options.forget(pod).then(done, retry);
  };
  const cleanUp = (entry: Entry, pod: KubeletPod) => {
    if (entry.cleaning) return;
    entry.cleaning = true;
    options.cleanUpDeleted(pod).catch((error: unknown) => {
      entry.cleaning = false;
      log.warn({ pod: pod.metadata.name, error: messageOf(error) }, 'cannot clean up after a pod');
      if (!stopped) clock.after(1000, () => cleanUp(entry, pod));
    });
  };
  return {
    update(pod) {
      const entry = entries.get(pod.metadata.uid) ?? add(pod);
      entry.worker.update(pod);
      if (entry.worker.state === 'finished' && pod.metadata.deletionTimestamp) cleanUp(entry, pod);
    },
    remove(pod) {
      const entry = entries.get(pod.metadata.uid);
      if (!entry) return;
      entry.removed = true;
      const graceSeconds = pod.metadata.deletionGracePeriodSeconds;
      // A Pod whose object is gone counts as deleted, so that its containers go too.
      const deleted = pod.metadata.deletionTimestamp ?? new Date(clock.now()).toISOString();
      entry.worker.update({ ...pod, metadata: { ...pod.metadata, deletionTimestamp: deleted } });
      entry.worker.terminate(graceSeconds === undefined ? {} : { graceSeconds });
      forgetIfOver(pod.metadata.uid);
    },
    wake: (uid) => entries.get(uid)?.worker.update(),
    fail(pod, failure, graceSeconds) {
      const entry = entries.get(pod.metadata.uid) ?? add(pod);
      entry.worker.terminate({ failure, ...(graceSeconds === undefined ? {} : { graceSeconds }) });
    },
    get: (uid) => entries.get(uid)?.worker,
    list: () => [...entries.values()].map(({ worker }) => worker),
    markStopped(uid) {
      const entry = entries.get(uid);
      if (entry) entry.stopped = true;
    },
    couldHaveRunningContainers(uid) {
      const entry = entries.get(uid);
      return entry !== undefined && !entry.stopped && entry.worker.state !== 'finished';
    },
    stop() {
      stopped = true;
      for (const { worker } of entries.values()) worker.stop();
    },
  };
}
