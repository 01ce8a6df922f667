import { badRequest } from '../http/errors.ts';
import { apiVersionOf, listKindOf } from '../registry/kind.ts';
import { textOf, wantsPretty } from '../http/respond.ts';
import { queryInteger } from '../http/query-values.ts';
import type { ResourceRequest } from './context.ts';
import { decodeContinue } from './continue-token.ts';
import { checkListOptions } from './list-options.ts';
import type { Page, PageOptions } from './list-page.ts';
import { readCachedPage, readOldPage } from './list-page.ts';
import { jsonOf, metaVersionOf, partialOf, present, tableOf } from './represent.ts';
import { parseResourceVersion, waitForRevision } from './resource-version.ts';
import { readSelection } from './selection.ts';

/** GET of a collection: the whole, or a page of `limit` objects. Answers the text of the list. Throws 400, 410 and 504. */
export async function listObjects(request: ResourceRequest): Promise<string> {
  return representList(request, await readPage(request));
}

/** The objects that a request's query selects, as many of them as it asks for. Throws 400, 410 and 504. */
export async function readPage(request: ResourceRequest): Promise<Page> {
  const { kind, info, server } = request;
  const { query } = info;
  const store = server.stores.of(kind);
  const selection = readSelection(info, kind, store);
  const limit = queryInteger(query, 'limit');
  queryInteger(query, 'timeoutSeconds');
  const token = query.get('continue') ?? '';
  const version = query.get('resourceVersion');
  checkListOptions(query);
  const page = { store, selection, limit, from: selection.prefix };
  if (token !== '') return readContinued(request, { ...page, token });
  const exact = query.get('resourceVersionMatch') === 'Exact' || (limit > 0 && !isNotOlderThan(query));
  const revision = parseResourceVersion(version) ?? 0;
  await waitForRevision(server.feed, version);
  if (exact && revision > 0) return readOldPage({ ...page, revision, continued: false });
  return readCachedPage({ ...page, revision: server.feed.revision });
}

/** The page that a token names: of the list's own revision, or of the newest for who goes on after a 410. */
async function readContinued(
  { info, server: { feed } }: ResourceRequest,
  options: Omit<PageOptions, 'from' | 'revision'> & { token: string },
): Promise<Page> {
  const { key: from, revision } = decodeContinue(options.store.prefix, options.token);
  if (!['', '0', null].includes(info.query.get('resourceVersion')))
    throw badRequest('specifying resource version is not allowed when using continue');
  await waitForRevision(feed, revision < 0 ? null : String(revision));
  if (revision < 0) return readCachedPage({ ...options, from, revision: feed.revision });
  return readOldPage({ ...options, from, revision, continued: true });
}

const isNotOlderThan = (query: URLSearchParams): boolean =>
  query.get('resourceVersionMatch') === 'NotOlderThan';

function representList(request: ResourceRequest, page: Page): string {
  const { kind, representation, info } = request;
  const pretty = wantsPretty(info.query, request.request.headers['user-agent']);
  const { mediaType } = representation;
  if (representation.as === 'Table') {
    const objects = page.entries.map((entry) => present(kind, entry.object));
    const includeObject = info.query.get('includeObject') ?? 'Metadata';
    return textOf(tableOf({ kind, objects, metadata: page.metadata, representation, includeObject }), {
      mediaType,
      pretty,
    });
  }
  if (representation.as === 'PartialObjectMetadata') {
    const items = page.entries.map((entry) => partialOf(entry.object, representation));
    const list = {
      kind: 'PartialObjectMetadataList',
      apiVersion: metaVersionOf(representation),
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
