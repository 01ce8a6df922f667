import { canonicalQuantity, quantityValue } from '../../api/quantity.ts';
import type { Pod } from '../../api/types.ts';
import type { Clock } from '../../client/clock.ts';
import { diskUsageOf } from '../../linux/disk-usage.ts';
import type { MountedVolume } from './container-mounts.ts';

/** A Pod that must be evicted. */
export interface LimitExceeded {
  pod: Pod;
  volumeName: string;
  reason: 'Evicted';
  /** Upstream's words, final space included. */
  message: string;
}

export interface LimitWatcher {
  /** Looks from now on at the Pod's emptyDirs that have a sizeLimit; a Pod without one costs nothing. */
  watch(pod: Pod, mounted: () => ReadonlyMap<string, MountedVolume>): void;
  forget(uid: string): void;
  close(): void;
}

export interface LimitOptions {
  clock: Clock;
  onLimitExceeded: (excess: LimitExceeded) => void;
}

/** Upstream's eviction manager looks every 10 s; small volumes are quick to count, so we look more often. */
const minIntervalMs = 1000;
const maxIntervalMs = 10_000;
/** The share of the time that may go into counting: a volume that takes 100 ms is counted every 5 s. */
const restPerCount = 50;

interface Watched {
  pod: Pod;
  mounted: () => ReadonlyMap<string, MountedVolume>;
  cancel: () => void;
}

/** Enforces emptyDir.sizeLimit by counting, as upstream does (eviction_manager.go emptyDirLimitEviction). */
export const watchLimits = ({ clock, onLimitExceeded }: LimitOptions): LimitWatcher => {
  const watched = new Map<string, Watched>();

  const lookIn = (uid: string, entry: Watched, delayMs: number) => {
    entry.cancel = clock.after(delayMs, () => {
      void look(uid, entry);
    });
  };

  const look = async (uid: string, entry: Watched) => {
    const startedAtMs = clock.now();
    const excess = await excessOf(entry);
    if (watched.get(uid) !== entry) return;
    if (excess === undefined) {
      const tookMs = clock.now() - startedAtMs;
      return lookIn(uid, entry, Math.min(maxIntervalMs, Math.max(minIntervalMs, tookMs * restPerCount)));
    }
    watched.delete(uid);
    return onLimitExceeded(excess);
  };

  return {
    watch(pod, mounted) {
      const uid = pod.metadata?.uid ?? '';
      const entry = watched.get(uid);
      if (entry !== undefined) entry.pod = pod;
      if (entry !== undefined || limitedVolumes(pod).length === 0) return;
      const made: Watched = { pod, mounted, cancel: () => undefined };
      watched.set(uid, made);
      lookIn(uid, made, minIntervalMs);
    },
    forget(uid) {
      watched.get(uid)?.cancel();
      watched.delete(uid);
    },
    close() {
      for (const { cancel } of watched.values()) cancel();
      watched.clear();
    },
  };
};

const excessOf = async ({ pod, mounted }: Watched): Promise<LimitExceeded | undefined> => {
  for (const { volumeName, sizeLimit } of limitedVolumes(pod)) {
    const path = mounted().get(volumeName)?.hostPath;
    if (path === undefined) continue;
    const used = await diskUsageOf(path).catch(() => undefined); // unmounted meanwhile
    if (used === undefined || used.usedBytes <= quantityValue(sizeLimit)) continue;
    const message = `Usage of EmptyDir volume "${volumeName}" exceeds the limit "${canonicalQuantity(sizeLimit)}". `;
    return { pod, volumeName, reason: 'Evicted', message };
  }
  return undefined;
};

const limitedVolumes = ({ spec }: Pod): { volumeName: string; sizeLimit: string }[] =>
  (spec?.volumes ?? []).flatMap(({ name, emptyDir }) =>
    emptyDir?.sizeLimit === undefined || quantityValue(emptyDir.sizeLimit) <= 0
      ? []
      : [{ volumeName: name, sizeLimit: emptyDir.sizeLimit }],
  );
