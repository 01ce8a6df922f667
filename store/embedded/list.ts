import { CompactedError, FutureRevisionError } from '../store.ts';
import type { KeyValue, ListOptions, ListResult } from '../store.ts';
import { decodeChange, decodeState } from './codec.ts';
import type { Stored } from './codec.ts';
import { compactedRevisionIn, KEY_LIMIT_BYTES, revisionIn } from './database.ts';
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
function newestPairs(tables: Tables, { prefix, from = prefix, limit = Infinity }: ListOptions): KeyValue[] {
  const first = laterOf(Buffer.from(prefix), Buffer.from(from));
  const items: KeyValue[] = [];
  // A client chooses where a page begins, and lmdb throws when asked for more bytes than a key has.
  for (const { key, value } of tables.keys.getRange({ start: first.subarray(0, KEY_LIMIT_BYTES) })) {
    if (Buffer.compare(key, first) < 0) continue;
    const text = Buffer.from(key).toString();
    if (!text.startsWith(prefix) || items.length > limit) break;
    items.push(pair(text, decodeState(value)));
  }
  return items;
}

const laterOf = (a: Buffer, b: Buffer): Buffer => (Buffer.compare(a, b) < 0 ? b : a);

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
  // Strings compare by UTF-16 units, which order some keys otherwise than their bytes do.
  return [...states]
    .map(([key, state]) => ({ bytes: Buffer.from(key), item: pair(key, state) }))
    .filter(({ bytes }) => Buffer.compare(bytes, Buffer.from(from)) >= 0)
    .toSorted((a, b) => Buffer.compare(a.bytes, b.bytes))
    .map(({ item }) => item);
}
