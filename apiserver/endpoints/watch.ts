import type { ApiObject, Kind } from '../registry/kind.ts';
import { apiVersionOf } from '../registry/kind.ts';
import type { Representation } from '../http/negotiate.ts';
import { StatusError } from '../../api/status.ts';
import { expiredWatch, internalError } from '../http/errors.ts';
import { queryFlag, queryInteger } from '../http/query-values.ts';
import { isGone, setWarnings } from '../http/respond.ts';
import type { CacheEntry, CacheEvent, EventType } from '../storage/watch-cache.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { ResourceRequest } from './context.ts';
import { checkWatchOptions } from './list-options.ts';
import { jsonOf, metaVersionOf, partialOf, present, tableOf } from './represent.ts';
import { parseResourceVersion, waitForRevision } from './resource-version.ts';
import type { Selection } from './selection.ts';
import { readSelection } from './selection.ts';
import { WatchStream } from './watch-stream.ts';

const MINUTE_MS = 60_000;
const MINIMUM_TIMEOUT_MS = 30 * MINUTE_MS;
const INITIAL_EVENTS_END = { 'k8s.io/initial-events-end': 'true' };

/**
 * GET with watch=true: streams changes as JSON lines until the client leaves, the time is over or the server stops.
 * The semantics of resourceVersion, bookmarks and sendInitialEvents are those of
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
export async function watchObjects(request: ResourceRequest): Promise<undefined> {
  const { kind, info, server } = request;
  const store = server.stores.of(kind);
  const selection = readSelection(info, kind, store);
  const start = readStart(info.query);
  if (start.initial || start.revision === 0)
    await waitForRevision(server.feed, info.query.get('resourceVersion'));
  // Who left meanwhile will not close again: the watch would go on for nobody until its time is over.
  if (isGone(request.response)) return;
  setWarnings(request.response, request.warnings);
  const stream = new WatchStream({
    response: request.response,
    timeoutMs: timeoutOf(info.query),
    stopping:
      kind.custom === undefined ? server.stopping : AbortSignal.any([server.stopping, kind.custom.ended]),
  });
  const watch = new ObjectWatch({ request, store, selection, stream });
  if (!watch.begin(start)) return;
  watch.follow();
  await stream.ended;
}

/** Whether a watch begins with the present state, or after which revision; 0 is the newest. */
interface Start {
  initial: boolean;
  revision: number;
  bookmarkAfterState: boolean;
}

function readStart(query: URLSearchParams): Start {
  checkWatchOptions(query);
  const revision = parseResourceVersion(query.get('resourceVersion')) ?? 0;
  if (!query.has('sendInitialEvents'))
    return { initial: revision === 0, revision, bookmarkAfterState: false };
  const initial = queryFlag(query, 'sendInitialEvents');
  return { initial, revision, bookmarkAfterState: initial && queryFlag(query, 'allowWatchBookmarks') };
}

function timeoutOf(query: URLSearchParams): number {
  queryInteger(query, 'limit');
  const seconds = queryInteger(query, 'timeoutSeconds');
  return seconds > 0 ? seconds * 1000 : MINIMUM_TIMEOUT_MS * (1 + Math.random());
}

/** One client's view of the changes of a selection. */
class ObjectWatch {
  readonly #request: ResourceRequest;
  readonly #store: ObjectStore;
  readonly #selection: Selection;
  readonly #stream: WatchStream;
  readonly #includeObject: string;
  #sentUpTo = 0;
  /** Only the first table of a watch tells its columns. */
  #hasHead = false;

  constructor(options: {
    request: ResourceRequest;
    store: ObjectStore;
    selection: Selection;
    stream: WatchStream;
  }) {
    this.#request = options.request;
    this.#store = options.store;
    this.#selection = options.selection;
    this.#stream = options.stream;
    this.#includeObject = options.request.info.query.get('includeObject') ?? 'Metadata';
  }

  /** Sends what comes before the changes to follow; false when the watch is over with it, after telling the client why. */
  begin(start: Start): boolean {
    try {
      if (!start.initial) return this.#sendHistory(start.revision || this.#request.server.feed.revision);
      this.#sendState(start.bookmarkAfterState);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** Sends every present object as ADDED, then the bookmark that tells that these were all. */
  #sendState(withBookmark: boolean): void {
    const selection = this.#selection;
    const { prefix, key } = selection;
    for (const entry of this.#store.cache.list(key ?? prefix)) {
      if ((key === undefined || entry.key === key) && selection.matches(entry.object))
        this.#send('ADDED', entry);
    }
    this.#sentUpTo = this.#request.server.feed.revision;
    if (withBookmark) this.#bookmark(INITIAL_EVENTS_END);
  }

  /** Sends what happened after a revision; false when that is forgotten, after telling the client (410). */
  #sendHistory(revision: number): boolean {
    const events = this.#store.cache.eventsAfter(revision);
    if (events === undefined) {
      this.#stream.sendLast(errorLine(expiredWatch(revision, this.#store.cache.oldestRevision)));
      return false;
    }
    this.#sentUpTo = revision;
    for (const event of events) this.#onEvent(event);
    return true;
  }

  /** Sends changes as they come, and bookmarks each minute and before the end. */
  follow(): void {
    const end = this.#store.cache.listen((event) => this.#onEvent(event), {
      key: this.#selection.key,
      onFailure: (error) => this.#fail(error),
    });
    this.#stream.onEnd(end);
    if (!queryFlag(this.#request.info.query, 'allowWatchBookmarks')) return;
    const timer = setInterval(() => this.#bookmark(), MINUTE_MS * (0.9 + Math.random() * 0.2));
    this.#stream.onEnd(() => clearInterval(timer));
    this.#stream.beforeTimeout(() => this.#bookmark());
  }

  /** An object that starts or stops to match is added or deleted in this client's eyes. */
  #onEvent({ type, revision, entry, previous }: CacheEvent): void {
    if (revision <= this.#sentUpTo) return;
    const selection = this.#selection;
    const { prefix, key } = selection;
    if (key === undefined ? !entry.key.startsWith(prefix) : entry.key !== key) return;
    const was = previous !== undefined && selection.matches(previous.object);
    const is = type !== 'DELETED' && selection.matches(entry.object);
    if (is) this.#send(was ? 'MODIFIED' : 'ADDED', entry);
    else if (was) this.#send('DELETED', type === 'DELETED' ? entry : previousAt(previous, revision));
  }

  /** An object that cannot be shown ends this watch; the other watches and the caches go on. */
  #fail(error: unknown): void {
    const { server, info } = this.#request;
    server.log.error({ err: error, path: info.path }, 'watch failed');
    const words = error instanceof Error ? error.message : String(error);
    this.#stream.sendLast(errorLine(internalError(words)));
  }

  #send(type: EventType, entry: CacheEntry): void {
    this.#stream.send(this.#line(type, entry));
  }

  /** A table's row depends on the time (age) but is made once for all watchers of the event. */
  #line(type: EventType, entry: CacheEntry): string {
    const { kind, representation } = this.#request;
    if (representation.as === 'object') return `{"type":"${type}","object":${jsonOf(kind, entry)}}\n`;
    const shape = `${representation.as} ${metaVersionOf(representation)} ${this.#hasHead ? '' : 'head'}`;
    const format = `${apiVersionOf(kind)} ${shape} ${this.#includeObject}`;
    let text = entry.encoded.get(format);
    if (text === undefined) entry.encoded.set(format, (text = this.#represent(present(kind, entry.object))));
    this.#hasHead = true;
    return `{"type":"${type}","object":${text}}\n`;
  }

  #represent(object: ApiObject): string {
    const { kind, representation } = this.#request;
    if (representation.as === 'PartialObjectMetadata')
      return JSON.stringify(partialOf(object, representation));
    const metadata = { resourceVersion: object.metadata.resourceVersion ?? '' };
    const includeObject = this.#includeObject;
    const table = tableOf({ kind, objects: [object], metadata, representation, includeObject });
    return JSON.stringify(this.#hasHead ? { ...table, columnDefinitions: null } : table);
  }

  #bookmark(annotations?: Record<string, string>): void {
    const { kind, server, representation } = this.#request;
    const resourceVersion = String(Math.max(server.feed.revision, this.#sentUpTo));
    this.#stream.send(bookmarkLine({ kind, representation, resourceVersion, annotations }));
  }
}

function bookmarkLine(options: {
  kind: Kind;
  representation: Representation;
  resourceVersion: string;
  annotations: Record<string, string> | undefined;
}): string {
  const { kind, representation, resourceVersion, annotations } = options;
  const { as } = representation;
  const metadata = { resourceVersion, ...(annotations !== undefined && { annotations }) };
  const type = { kind: kind.kind, apiVersion: apiVersionOf(kind) };
  const apiVersion = metaVersionOf(representation);
  const partial = { kind: 'PartialObjectMetadata', apiVersion };
  if (as !== 'Table') {
    const object = { ...(as === 'object' ? type : partial), metadata };
    return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
  }
  const rows = [{ cells: [], object: { ...partial, metadata } }];
  const table = {
    kind: 'Table',
    apiVersion,
    metadata: { resourceVersion },
    columnDefinitions: [],
    rows,
  };
  return `${JSON.stringify({ type: 'BOOKMARK', object: table })}\n`;
}

/** The last matching state, at the revision in which it stopped to match. */
function previousAt(previous: CacheEntry | undefined, revision: number): CacheEntry {
  if (previous === undefined) throw new Error('an object that matched has a previous state');
  const metadata = { ...previous.object.metadata, resourceVersion: String(revision) };
  return { ...previous, object: { ...previous.object, metadata }, encoded: new Map() };
}

/** An ERROR event: how a watch that has begun (or never can) reports a failure. */
const errorLine = (error: StatusError): string =>
  `${JSON.stringify({ type: 'ERROR', object: error.status })}\n`;
