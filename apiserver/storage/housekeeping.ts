import type { Store } from '../../store/store.ts';
import type { ServerParts } from '../endpoints/context.ts';
import type { ApiObject, Kind } from '../registry/kind.ts';
import { StatusError } from '../../api/status.ts';
import type { ObjectStore } from './object-store.ts';
import { placeOf } from './object-store.ts';

const COMPACTION_MS = 5 * 60_000;
const SWEEP_MS = 60_000;

/** Forgets history older than five minutes, and objects whose time to live is over (events). Returns the function that ends it. */
export function startHousekeeping({ store, server }: { store: Store; server: ServerParts }): () => void {
  let previous = 0;
  const compaction = setInterval(() => {
    const { revision } = server.feed;
    // Without a newer one it may be done already, and the store refuses to do it twice.
    if (previous > 0 && revision > previous) guard(server, store.compact(previous), 'compaction');
    previous = revision;
  }, COMPACTION_MS);
  const sweep = setInterval(() => guard(server, sweepExpired(server), 'sweep of expired objects'), SWEEP_MS);
  return () => {
    clearInterval(compaction);
    clearInterval(sweep);
  };
}

function guard({ log, stopping }: ServerParts, work: Promise<void>, what: string): void {
  work.catch((error: unknown) => {
    if (!stopping.aborted) log.warn({ err: error }, `${what} failed; it is tried again later`);
  });
}

/** Removes what has outlived its kind's time to live. */
export async function sweepExpired(server: ServerParts): Promise<void> {
  const now = server.now().getTime();
  for (const kind of server.kinds.all()) {
    if (kind.timeToLiveMs === undefined || kind.viewOf !== undefined) continue;
    const objects = server.stores.of(kind);
    const old = [...objects.cache.values()].filter(({ object }) => isExpired(kind, object, now));
    for (const { object } of old) await removeExpired({ objects, kind, object, now });
  }
}

async function removeExpired(options: {
  objects: ObjectStore;
  kind: Kind;
  object: ApiObject;
  now: number;
}): Promise<void> {
  const { objects, kind, object, now } = options;
  try {
    await objects.update(placeOf(object), (current) =>
      Promise.resolve(
        current !== undefined && isExpired(kind, current, now) ? { remove: true } : { keep: true },
      ),
    );
  } catch (error) {
    // Somebody else has removed it.
    if (!(error instanceof StatusError && error.status.code === 404)) throw error;
  }
}

function isExpired({ timeToLiveMs = Infinity }: Kind, object: ApiObject, now: number): boolean {
  const { lastTimestamp, eventTime, series } = object as {
    lastTimestamp?: string;
    eventTime?: string;
    series?: { lastObservedTime?: string };
  };
  const times = [object.metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime];
  const latest = Math.max(...times.map((time) => (time ? Date.parse(time) : 0)));
  return now - latest > timeToLiveMs;
}
