import { CompactedError } from '../../store/store.ts';
import { expiredContinue, expiredList } from '../http/errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { CacheEntry } from '../storage/watch-cache.ts';
import { encodeContinue, NEWEST } from './continue-token.ts';
import type { ListMetadata } from './represent.ts';
import type { Selection } from './selection.ts';

export interface Page {
  entries: CacheEntry[];
  metadata: ListMetadata;
}

/** Which page is wanted: at most `limit` objects (0: all) of a selection from the key `from` on. */
export interface PageOptions {
  store: ObjectStore;
  selection: Selection;
  limit: number;
  from: string;
  revision: number;
}

/** Objects read at one go when a page has no limit. */
const BATCH = 500;

/** A page of the present state, which `revision` tells of. */
export function readCachedPage(options: PageOptions): Page {
  const { store, selection, limit, revision } = options;
  const entries: CacheEntry[] = [];
  for (const entry of candidates(options)) {
    if (!selection.matches(entry.object)) continue;
    if (limit > 0 && entries.length === limit) {
      const next = `${entries.at(-1)?.key ?? ''}\0`;
      const remaining = store.cache.count(selection.prefix, next);
      return cut({ ...options, entries, next, remaining });
    }
    entries.push(entry);
  }
  return { entries, metadata: { resourceVersion: String(revision) } };
}

function* candidates({ store: { cache }, selection, from }: PageOptions): Generator<CacheEntry> {
  const { key, prefix } = selection;
  if (key === undefined) return yield* cache.list(prefix, from);
  const entry = cache.get(key);
  if (entry !== undefined && key.startsWith(prefix) && key >= from) yield entry;
}

/**
 * A page of the past comes from the store, which keeps old revisions until they are compacted. Throws 410 then; `continued` lets the
 * client go on from here in the newest state (upstream: etcd3 handleCompactedErrorForPaging).
 */
export async function readOldPage(options: PageOptions & { continued: boolean }): Promise<Page> {
  const { store, selection, limit, revision } = options;
  const entries: CacheEntry[] = [];
  let { from } = options;
  for (;;) {
    const batch = await readBatch({ ...options, from });
    for (const [index, entry] of batch.entries.entries()) {
      if (!selection.matches(entry.object)) continue;
      entries.push(entry);
      const more = batch.more || index + 1 < batch.entries.length;
      if (limit > 0 && entries.length === limit && more) {
        const next = `${entry.key}\0`;
        const remaining = selection.isWhole ? await countFrom({ ...options, from: next }) : 0;
        return cut({ ...options, entries, next, remaining });
      }
    }
    if (!batch.more) return { entries, metadata: { resourceVersion: String(revision) } };
    from = `${batch.entries.at(-1)?.key ?? ''}\0`;
  }

  async function readBatch({ from: first }: { from: string }) {
    const { prefix } = selection;
    try {
      return await store.listAt({ prefix, from: first, limit: limit > 0 ? limit : BATCH, revision });
    } catch (error) {
      if (!(error instanceof CompactedError)) throw error;
      if (!options.continued) throw expiredList();
      throw expiredContinue(encodeContinue(store.prefix, { key: options.from, revision: NEWEST }));
    }
  }
}

/** How many objects there were from a key on: those of now with the changes since taken back, where they are remembered. */
async function countFrom({ store, selection: { prefix }, from, revision }: PageOptions): Promise<number> {
  const events = store.cache.eventsAfter(revision);
  if (events === undefined) return await store.countAt({ prefix, from, revision });
  const later = events.filter(({ entry: { key } }) => key.startsWith(prefix) && key >= from);
  const added = later.filter(({ type }) => type === 'ADDED').length;
  const deleted = later.filter(({ type }) => type === 'DELETED').length;
  return store.cache.count(prefix, from) - added + deleted;
}

/** A page that isn't the last. How many objects are to come is not known where selectors choose among them. */
function cut(parts: PageOptions & { entries: CacheEntry[]; next: string; remaining: number }): Page {
  const { store, selection, revision, entries, next, remaining } = parts;
  const metadata = {
    resourceVersion: String(revision),
    continue: encodeContinue(store.prefix, { key: next, revision }),
    ...(selection.isWhole && { remainingItemCount: remaining }),
  };
  return { entries, metadata };
}
