import { CompactedError } from '../../store/store.ts';
import { badRequest, expiredContinue, expiredList, invalidError } from '../http/errors.ts';
import { apiVersionOf, listKindOf } from '../registry/kind.ts';
import { textOf, wantsPretty } from '../http/respond.ts';
import { queryInteger } from '../http/query-values.ts';
import type { CacheEntry } from '../storage/watch-cache.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { ResourceRequest } from './context.ts';
import type { ListMetadata } from './represent.ts';
import { jsonOf, partialOf, present, tableOf } from './represent.ts';
import { parseResourceVersion, waitForRevision } from './resource-version.ts';
import type { Selection } from './selection.ts';
import { readSelection } from './selection.ts';

interface Page {
  entries: CacheEntry[];
  metadata: ListMetadata;
}

/** Where the next page begins: base64 of this JSON is the continue token, as upstream's. */
interface ContinueToken {
  v: 'meta.k8s.io/v1';
  rv: number;
  start: string;
}

/** GET of a collection: the whole, or a page of `limit` objects. Answers the text of the list. Throws 400, 410 and 504. */
export async function listObjects(request: ResourceRequest): Promise<string> {
  const { kind, info, server } = request;
  const store = server.stores.of(kind);
  const selection = readSelection(info, kind, store);
  const page = await readPage(request, store, selection);
  return representList(request, page);
}

async function readPage(request: ResourceRequest, store: ObjectStore, selection: Selection): Promise<Page> {
  const { query } = request.info;
  const limit = queryInteger(query, 'limit');
  queryInteger(query, 'timeoutSeconds');
  const token = query.get('continue') ?? '';
  const version = query.get('resourceVersion');
  checkMatch(query);
  if (token !== '') return readOldPage({ store, selection, limit, ...parseToken(token, store, query) });
  const exact = query.get('resourceVersionMatch') === 'Exact' || (limit > 0 && !isNotOlderThan(query));
  const revision = parseResourceVersion(version) ?? 0;
  if (exact && revision > 0) {
    await waitForRevision(request.server.feed, version);
    return readOldPage({ store, selection, limit, revision, from: selection.prefix, expired: expiredList });
  }
  await waitForRevision(request.server.feed, version);
  return readCachedPage({ store, selection, limit, revision: request.server.feed.revision });
}

const isNotOlderThan = (query: URLSearchParams): boolean =>
  query.get('resourceVersionMatch') === 'NotOlderThan';

/** resourceVersionMatch needs a resourceVersion and a known value (upstream: metav1 ValidateListOptions). */
function checkMatch(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? '';
  if (match === '') return;
  const fail = (reason: 'FieldValueForbidden' | 'FieldValueNotSupported', message: string) =>
    invalidError({ group: 'meta.k8s.io', kind: 'ListOptions', plural: '' }, '', [
      { field: 'resourceVersionMatch', reason, message },
    ]);
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw fail(
      'FieldValueNotSupported',
      `Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan", ""`,
    );
  }
  const version = query.get('resourceVersion') ?? '';
  if (query.get('continue')) {
    throw fail(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch is forbidden when continue is provided',
    );
  }
  if (version === '') {
    throw fail(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
    );
  }
  if (match === 'Exact' && version === '0') {
    throw fail(
      'FieldValueForbidden',
      'Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"',
    );
  }
}

function parseToken(token: string, store: ObjectStore, query: URLSearchParams) {
  let parsed: ContinueToken;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64url').toString()) as ContinueToken;
  } catch {
    throw badRequest('continue key is not valid: illegal base64 data');
  }
  if (parsed.v !== 'meta.k8s.io/v1' || typeof parsed.start !== 'string' || !Number.isSafeInteger(parsed.rv)) {
    throw badRequest(
      'continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)',
    );
  }
  if (query.get('resourceVersion'))
    throw badRequest('specifying resource version is not allowed when using continue');
  if (parsed.start.includes('..')) throw badRequest(`continue key is not valid: ${parsed.start}`);
  return { revision: parsed.rv, from: store.prefix + parsed.start, expired: expiredContinue };
}

function readCachedPage(options: {
  store: ObjectStore;
  selection: Selection;
  limit: number;
  revision: number;
}): Page {
  const { store, selection, limit, revision } = options;
  const entries: CacheEntry[] = [];
  for (const entry of candidates(store, selection)) {
    if (!selection.matches(entry.object)) continue;
    if (limit > 0 && entries.length === limit) return cutPage({ ...options, entries });
    entries.push(entry);
  }
  return { entries, metadata: { resourceVersion: String(revision) } };
}

function* candidates({ cache }: ObjectStore, { key, prefix }: Selection): Generator<CacheEntry> {
  if (key === undefined) return yield* cache.list(prefix);
  const entry = cache.get(key);
  if (entry !== undefined && key.startsWith(prefix)) yield entry;
}

function cutPage(options: {
  store: ObjectStore;
  selection: Selection;
  revision: number;
  entries: CacheEntry[];
}): Page {
  const { store, selection, revision, entries } = options;
  const next = `${entries.at(-1)?.key ?? ''}\0`;
  const rest = [...store.cache.list(selection.prefix, next)].length;
  return {
    entries,
    metadata: {
      resourceVersion: String(revision),
      ...nextPage({ store, revision, next }),
      remainingItemCount: rest,
    },
  };
}

function nextPage({ store, revision, next }: { store: ObjectStore; revision: number; next: string }) {
  const token: ContinueToken = { v: 'meta.k8s.io/v1', rv: revision, start: next.slice(store.prefix.length) };
  return { continue: Buffer.from(JSON.stringify(token)).toString('base64url') };
}

/** A page of the past comes from the store, which keeps old revisions until they are compacted. */
async function readOldPage(options: {
  store: ObjectStore;
  selection: Selection;
  limit: number;
  revision: number;
  from: string;
  expired: () => Error;
}): Promise<Page> {
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
        return {
          entries,
          metadata: { resourceVersion: String(revision), ...nextPage({ store, revision, next }) },
        };
      }
    }
    if (!batch.more) return { entries, metadata: { resourceVersion: String(revision) } };
    from = `${batch.entries.at(-1)?.key ?? ''}\0`;
  }
}

async function readBatch(options: {
  store: ObjectStore;
  selection: Selection;
  limit: number;
  revision: number;
  from: string;
  expired: () => Error;
}) {
  const { store, selection, limit, revision, from } = options;
  try {
    return await store.listAt({ prefix: selection.prefix, from, limit: limit > 0 ? limit : 500, revision });
  } catch (error) {
    if (error instanceof CompactedError) throw options.expired();
    throw error;
  }
}

function representList(request: ResourceRequest, page: Page): string {
  const { kind, representation, info } = request;
  const pretty = wantsPretty(info.query, request.request.headers['user-agent']);
  const { mediaType } = representation;
  if (representation.as === 'Table') {
    const objects = page.entries.map((entry) => present(kind, entry.object));
    const includeObject = info.query.get('includeObject') ?? 'Metadata';
    return textOf(tableOf({ kind, objects, metadata: page.metadata, includeObject }), { mediaType, pretty });
  }
  if (representation.as === 'PartialObjectMetadata') {
    const items = page.entries.map((entry) => partialOf(entry.object));
    const list = {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata: page.metadata,
      items,
    };
    return textOf(list, { mediaType, pretty });
  }
  const text = joinList(request, page);
  return pretty || mediaType !== 'application/json' ? textOf(JSON.parse(text), { mediaType, pretty }) : text;
}

/** The list's text from the texts of its items, which the cache has already encoded. */
function joinList({ kind }: ResourceRequest, { entries, metadata }: Page): string {
  const head = JSON.stringify({ kind: listKindOf(kind), apiVersion: apiVersionOf(kind), metadata });
  return `${head.slice(0, -1)},"items":[${entries.map((entry) => jsonOf(kind, entry)).join(',')}]}`;
}
