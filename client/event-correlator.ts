import { timeOf } from './clock.ts';
import type { Clock } from './clock.ts';
import type { CoreV1Event } from '../api/types.ts';

/** What to do with a new event. */
export type Correlated =
  | { action: 'skip' }
  | { action: 'create'; event: CoreV1Event; key: string }
  | { action: 'count'; event: CoreV1Event; key: string };

/** client-go's values (tools/record/events_cache.go). */
const cacheEntries = 4096;
const aggregateAfterEvents = 10;
const aggregateWindowMs = 600_000;
const spamBurst = 25;
const spamPerSecond = 1 / 300;

/**
 * Keeps events from drowning the cluster, as client-go's EventCorrelator does: the same event again counts up
 * the first one; ten different messages of one reason within ten minutes become one "(combined from similar
 * events)"; and one source may send 25 events about one object, then one each 5 minutes.
 */
export const createEventCorrelator = ({ clock }: { clock: Clock }) => {
  const groups = createCache<{ messages: Set<string>; lastMs: number }>();
  const seen = createCache<{ name: string; count: number; firstTimestamp: string | undefined }>();
  const buckets = createCache<ReturnType<typeof tokenBucket>>();

  const aggregate = (event: CoreV1Event, name: string): { event: CoreV1Event; key: string } => {
    const groupKey = groupKeyOf(event);
    const previous = groups.get(groupKey);
    const isOld = previous === undefined || clock.now() - previous.lastMs > aggregateWindowMs;
    const group = isOld ? { messages: new Set<string>(), lastMs: 0 } : previous;
    group.messages.add(event.message ?? '');
    group.lastMs = clock.now();
    groups.set(groupKey, group);
    if (group.messages.size < aggregateAfterEvents) return { event, key: eventKeyOf(event) };
    for (const message of group.messages) {
      group.messages.delete(message);
      break;
    }
    const now = timeOf(clock.now());
    const message = `(combined from similar events): ${event.message ?? ''}`;
    const metadata = { ...event.metadata, name };
    return {
      event: { ...event, metadata, message, count: 1, firstTimestamp: now, lastTimestamp: now },
      key: groupKey,
    };
  };

  const count = (event: CoreV1Event, key: string): Correlated => {
    const earlier = seen.get(key);
    const counted =
      earlier === undefined
        ? event
        : {
            ...event,
            metadata: { ...event.metadata, name: earlier.name },
            count: earlier.count + 1,
            ...(earlier.firstTimestamp === undefined ? {} : { firstTimestamp: earlier.firstTimestamp }),
          };
    seen.set(key, recordOf(counted));
    return { action: earlier === undefined ? 'create' : 'count', event: counted, key };
  };

  const isSpam = (event: CoreV1Event): boolean => {
    const key = spamKeyOf(event);
    const bucket = buckets.get(key) ?? tokenBucket(clock);
    buckets.set(key, bucket);
    return !bucket.tryTake();
  };

  return {
    /** `event.metadata.name` must be fresh. */
    correlate(event: CoreV1Event): Correlated {
      const { event: aggregated, key } = aggregate(event, event.metadata.name ?? '');
      const counted = count(aggregated, key);
      return isSpam(event) ? { action: 'skip' } : counted;
    },
    /** The server's view of an event that was written. */
    update(key: string, event: CoreV1Event): void {
      seen.set(key, recordOf(event));
    },
  };
};

const recordOf = ({ metadata, count = 1, firstTimestamp }: CoreV1Event) => ({
  name: metadata.name ?? '',
  count,
  firstTimestamp,
});

const objectKeyOf = ({ source, involvedObject, type }: CoreV1Event) => [
  source?.component,
  source?.host,
  involvedObject.kind,
  involvedObject.namespace,
  involvedObject.name,
  involvedObject.uid,
  involvedObject.apiVersion,
  type,
];

const spamKeyOf = (event: CoreV1Event) => JSON.stringify(objectKeyOf(event));
const groupKeyOf = (event: CoreV1Event) => JSON.stringify([...objectKeyOf(event), event.reason]);
const eventKeyOf = (event: CoreV1Event) =>
  JSON.stringify([...objectKeyOf(event), event.involvedObject.fieldPath, event.reason, event.message]);

const tokenBucket = (clock: Clock) => {
  let tokens = spamBurst;
  let refilledAt = clock.now();
  return {
    tryTake(): boolean {
      const now = clock.now();
      tokens = Math.min(spamBurst, tokens + ((now - refilledAt) / 1000) * spamPerSecond);
      refilledAt = now;
      if (tokens < 1) return false;
      tokens -= 1;
      return true;
    },
  };
};

/** Forgets the entry that was unused for longest when it is full. */
const createCache = <V>() => {
  const entries = new Map<string, V>();
  return {
    get: (key: string) => entries.get(key),
    set(key: string, value: V) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= cacheEntries) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        return;
      }
    },
  };
};
