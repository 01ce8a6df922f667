import { CompactedError } from '../store.ts';
import type { StoreEvent, WatchOptions } from '../store.ts';
import { decodeChange } from './codec.ts';
import type { Change } from './codec.ts';
import { compactedRevisionIn, revisionIn } from './database.ts';
import type { Tables } from './database.ts';
import type { Announcer } from './announcer.ts';

const BATCH = 1000;

/**
 * Follows the log of changes. Watching is reading: a watcher keeps its place in the log and reads on whenever a commit is
 * announced, so that a slow one costs no memory and none can miss a change.
 */
export async function* watchChanges(
  tables: Tables,
  announcer: Announcer,
  { prefix, fromRevision, signal }: WatchOptions & { fromRevision: number },
): AsyncGenerator<StoreEvent, void, undefined> {
  let next = fromRevision;
  const ended = () => announcer.closed || signal?.aborted === true;
  while (!ended()) {
    const compacted = compactedRevisionIn(tables);
    if (next <= compacted) throw new CompactedError(compacted);
    const newest = revisionIn(tables);
    if (newest < next) {
      await announcer.next(newest, signal);
      continue;
    }
    const { changes, upTo } = readChanges(tables, next, newest);
    next = upTo + 1;
    for (const { revision, change } of changes)
      if (change.key.startsWith(prefix)) {
        yield eventOf(change, revision);
        if (ended()) return;
      }
    yield { type: 'progress', modRevision: upTo };
  }
}

/** Whole revisions from `from` on, some thousand changes at most when there are many. */
function readChanges(tables: Tables, from: number, newest: number) {
  const changes: { revision: number; change: Change }[] = [];
  let upTo = newest;
  for (const { key, value } of tables.changes.getRange({ start: [from, 0], end: [newest, Infinity] })) {
    const last = changes.at(-1);
    if (changes.length >= BATCH && last !== undefined && last.revision !== key[0]) {
      upTo = last.revision;
      break;
    }
    changes.push({ revision: key[0], change: decodeChange(value) });
  }
  return { changes, upTo };
}

function eventOf({ key, before, after }: Change, modRevision: number): StoreEvent {
  if (after !== undefined)
    return { type: 'put', key, ...after, ...(before !== undefined && { prevValue: before.value }) };
  const { value, createRevision } = before ?? { value: Buffer.alloc(0), createRevision: modRevision };
  return { type: 'delete', key, value, prevValue: value, createRevision, modRevision };
}
