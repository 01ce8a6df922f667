import type { Clock } from '../../client/clock.ts';
import { messageOf } from '../cri/cri-error.ts';
import type { KubeletLog } from '../kubelet-log.ts';
import { isCriticalPod } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import { excessOf } from './local-storage-excess.ts';
import type { LocalStorageExcess } from './local-storage-excess.ts';
import { ephemeralStorageLimit, hasSizeLimit } from './local-storage-limits.ts';
import type { LocalStorageUsage } from './local-storage-usage.ts';

/** Looks whether Pods stay within their limits on the node's disk. */
export interface LocalStorageWatcher {
  /** Looks at the Pod from now on; one without a limit costs nothing, and a critical one is never evicted. */
  watch(pod: KubeletPod): void;
  forget(uid: string): void;
  stop(): void;
}

export interface LocalStorageWatcherOptions {
  clock: Clock;
  log: KubeletLog;
  measure: (pod: KubeletPod) => Promise<LocalStorageUsage>;
  /** The Pod is over a limit: it is to be evicted. Called once for a Pod. */
  onExcess: (pod: KubeletPod, excess: LocalStorageExcess) => void;
}

/** Upstream's eviction manager looks every 10 s; small volumes are quick to count, so we look more often. */
const minIntervalMs = 1000;
/** The runtime measures a container's layer no more often than that. */
const maxIntervalMs = 10_000;
/** The share of the time that may go into counting: a volume that takes 100 ms is counted every 5 s. */
const restPerCount = 50;

interface Watched {
  pod: KubeletPod;
  cancel: () => void;
}

export const watchLocalStorage = (options: LocalStorageWatcherOptions): LocalStorageWatcher => {
  const { clock, log, measure, onExcess } = options;
  const watched = new Map<string, Watched>();

  const lookIn = (uid: string, entry: Watched, delayMs: number) => {
    entry.cancel = clock.after(delayMs, () => {
      void look(uid, entry);
    });
  };

  const look = async (uid: string, entry: Watched) => {
    const { pod } = entry;
    const startedAtMs = clock.now();
    const usage = await measure(pod).catch((error: unknown) => {
      log.warn({ pod: pod.metadata.name, error: messageOf(error) }, 'local storage not measured');
      return undefined;
    });
    if (watched.get(uid) !== entry) return;
    const excess = usage && excessOf(pod, usage);
    if (excess === undefined) {
      const restMs = (clock.now() - startedAtMs) * restPerCount;
      return lookIn(uid, entry, Math.min(maxIntervalMs, Math.max(leastIntervalMs(pod), restMs)));
    }
    watched.delete(uid);
    onExcess(pod, excess);
  };

  return {
    watch(pod) {
      const { uid } = pod.metadata;
      const entry = watched.get(uid);
      if (entry !== undefined) entry.pod = pod;
      if (entry !== undefined || !isLimited(pod) || isCriticalPod(pod)) return;
      const made: Watched = { pod, cancel: () => undefined };
      watched.set(uid, made);
      lookIn(uid, made, leastIntervalMs(pod));
    },
    forget(uid) {
      watched.get(uid)?.cancel();
      watched.delete(uid);
    },
    stop() {
      for (const { cancel } of watched.values()) cancel();
      watched.clear();
    },
  };
};

const isLimited = (pod: KubeletPod): boolean =>
  ephemeralStorageLimit(pod) !== undefined || (pod.spec.volumes ?? []).some(hasSizeLimit);

const leastIntervalMs = (pod: KubeletPod): number =>
  ephemeralStorageLimit(pod) === undefined ? minIntervalMs : maxIntervalMs;
