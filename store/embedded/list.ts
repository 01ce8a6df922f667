import { CompactedError, FutureRevisionError } from '../store.ts';
import type { KeyValue, ListOptions, ListResult } from '../store.ts';
import { decodeChange, decodeState } from './codec.ts';
import type { Stored } from './codec.ts';
import { compactedRevisionIn, revisionIn } from './database.ts';
import type { Tables } from './database.ts';
import { pair } from './write-batch.ts';

/** Lists the pairs under a prefix, now or as of an older revision. */
export function listPairs(tables: Tables, options: ListOptions): ListResult {
  const newest = revisionIn(tables);
  const revision = options.revision ?? newest;
  if (revision > newest) throw new FutureRevisionError(newest);
  const compacted = compactedRevisionIn(tables);
  if (revision < compacted) throw new CompactedError(compacted);
  const { limit = Infinity } = options;
  const items = revision === newest ? newestPairs(tables, options) : pairsAsOf(tables, options, revision);
  return { items: items.slice(0, limit), more: items.length > limit, revision };
}

/** One more than the limit, to know if there are more. */
function newestPairs(tables: Tables, { prefix, from = prefix, limit }: ListOptions): KeyValue[] {
  const range = tables.keys.getRange({
    start: Buffer.from(from > prefix ? from : prefix),
    ...(limit !== undefined && { limit: limit + 1 }),
  });
  const items: KeyValue[] = [];
  for (const { key, value } of range) {
    const text = Buffer.from(key).toString();
    if (!text.startsWith(prefix)) break;
    items.push(pair(text, decodeState(value)));
  }
  return items;
}

/** The newest state with all later changes taken back, the last first. */
function pairsAsOf(tables: Tables, { prefix, from = prefix }: ListOptions, revision: number): KeyValue[] {
  const states = new Map<string, Stored>(
    newestPairs(tables, { prefix }).map(({ key, ...state }): [string, Stored] => [key, state]),
  );
  const later = tables.changes.getRange({ start: [Infinity, 0], end: [revision, Infinity], reverse: true });
  for (const { value } of later) {
    const change = decodeChange(value);
    if (!change.key.startsWith(prefix)) continue;
    if (change.before === undefined) states.delete(change.key);
    else states.set(change.key, change.before);
  }
  const items = [...states].filter(([key]) => key >= from).map(([key, state]) => pair(key, state));
  return items.toSorted((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}
