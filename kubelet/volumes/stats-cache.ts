import { wait } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { NoAnswerError } from './file-system-stats.ts';
import type { VolumeStats } from './stats.ts';

/** Upstream's volumeStatsAggPeriod. */
const maxAgeMs = 60_000;
/** Who asks gets what is known after this time; the counting goes on. */
const patienceMs = 10_000;

export interface StatsCache {
  /**
   * The stats of a volume, counted when the last are older than a minute or `fresh` ones are asked for, by one at a time. Answers the
   * last while its server doesn't answer or counting takes too long; rejects when it can't be counted.
   */
  get(name: string, options: CountOptions): Promise<VolumeStats | undefined>;
}

export interface CountOptions {
  count: () => Promise<VolumeStats | undefined>;
  fresh: boolean;
}

interface Entry {
  begunMs: number;
  running: Promise<VolumeStats | undefined> | undefined;
  last: VolumeStats | undefined;
}

/** How full the volumes of one Pod are: to count a large emptyDir takes long, and three ask for it. */
export const createStatsCache = ({ clock }: { clock: Clock }): StatsCache => {
  const entries = new Map<string, Entry>();

  const counted = async (entry: Entry, count: CountOptions['count']) => {
    entry.begunMs = clock.now();
    try {
      entry.last = await count();
    } catch (error) {
      if (error instanceof NoAnswerError) return entry.last;
      // To be counted again by the next who asks.
      entry.begunMs = -Infinity;
      entry.last = undefined;
      throw error;
    } finally {
      entry.running = undefined;
    }
    return entry.last;
  };

  return {
    async get(name, { count, fresh }) {
      const entry = entries.get(name) ?? { begunMs: -Infinity, running: undefined, last: undefined };
      entries.set(name, entry);
      const isDue = fresh || clock.now() - entry.begunMs >= maxAgeMs;
      if (entry.running === undefined && !isDue) return entry.last;
      entry.running ??= counted(entry, count);
      const enough = new AbortController();
      const late = wait({ clock, delayMs: patienceMs, signal: enough.signal }).then(() => entry.last);
      try {
        return await Promise.race([entry.running, late]);
      } finally {
        enough.abort();
      }
    },
  };
};
