import { parseFieldSelector } from '../../api/selectors/fields.ts';
import { queryFlag } from './query-values.ts';

/** What a request asks for, read from method and path alone (upstream: apiserver request.RequestInfo). */
export interface RequestInfo {
  method: string;
  path: string;
  query: URLSearchParams;
  /** False for /version, /healthz, /openapi …: those are authorised by path. */
  isResource: boolean;
  /** get, list, watch, create, update, patch, delete, deletecollection; for other paths the method in lower case. */
  verb: string;
  group: string;
  version: string;
  namespace: string;
  resource: string;
  subresource: string;
  name: string;
  /** What follows the subresource (proxy paths): with its leading slash, not decoded; or ''. */
  rest: string;
}

const VERB_OF_METHOD: Record<string, string> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** Reads a request's path. Throws URIError when it is not decodable. */
export function requestInfo(method: string, url: string): RequestInfo {
  const [path = '/', search = ''] = splitOnce(url, '?');
  const query = new URLSearchParams(search);
  const other = { ...blank(), method, path, query, verb: method.toLowerCase() };
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  const groupVersion = readGroupVersion(parts);
  if (groupVersion === undefined || groupVersion.parts.length === 0) return other;
  const { restCount, ...place } = readPlace(groupVersion.parts);
  const info = { ...other, ...groupVersion, ...place, isResource: true, verb: VERB_OF_METHOD[method] ?? '' };
  return { ...info, verb: refineVerb(info), rest: afterParts(path, parts.length - restCount) };
}

const blank = () => ({
  isResource: false,
  group: '',
  version: '',
  namespace: '',
  resource: '',
  subresource: '',
  name: '',
  rest: '',
});

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function readGroupVersion(parts: string[]): { group: string; version: string; parts: string[] } | undefined {
  const [root, first = '', second = ''] = parts;
  if (root === 'api' && parts.length > 2) return { group: '', version: first, parts: parts.slice(2) };
  if (root === 'apis' && parts.length > 3) return { group: first, version: second, parts: parts.slice(3) };
  return undefined;
}

function readPlace(parts: string[]) {
  const [first, namespace = '', third] = parts;
  if (first !== 'namespaces') return { namespace: '', ...readResource(parts) };
  if (third === undefined || NAMESPACE_SUBRESOURCES.has(third)) return { namespace, ...readResource(parts) };
  return { namespace, ...readResource(parts.slice(2)) };
}

function readResource([resource = '', name = '', subresource = '', ...rest]: string[]) {
  return { resource, name, subresource, restCount: rest.length };
}

/** What of a path follows its first `count` parts. */
function afterParts(path: string, count: number): string {
  let at = 0;
  for (const { index, 0: part } of path.matchAll(/[^/]+/g)) {
    if (count-- === 0) break;
    at = index + part.length;
  }
  return path.slice(at);
}

function refineVerb({ verb, name, query }: { verb: string; name: string; query: URLSearchParams }): string {
  if (name !== '') return verb;
  if (verb === 'delete') return 'deletecollection';
  if (verb !== 'get') return verb;
  return queryFlag(query, 'watch') ? 'watch' : 'list';
}

/**
 * The object name that a fieldSelector pins (`metadata.name=x`), so that such a watch is authorised as one of x. It is read by the parser
 * that also selects: a second reading could be made to differ by escapes, and authorise what isn't selected.
 */
export function nameOfFieldSelector(selector: string | null): string | undefined {
  try {
    return parseFieldSelector(selector ?? '').requires('metadata.name');
  } catch {
    // A selector that cannot be read pins nothing; the endpoint will answer 400.
    return undefined;
  }
}
