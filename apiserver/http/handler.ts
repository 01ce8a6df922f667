import type { TLSSocket } from 'node:tls';
import { StatusError } from '../../api/status.ts';
import type { ResourceRequest, ServerParts } from '../endpoints/context.ts';
import { listObjects } from '../endpoints/list.ts';
import { representObject } from '../endpoints/represent.ts';
import { watchObjects } from '../endpoints/watch.ts';
import type { Kind } from '../registry/kind.ts';
import { isReview } from '../registry/reviews.ts';
import { internalError, notAcceptable, unknownPathError } from './errors.ts';
import type { Metrics } from './metrics.ts';
import { negotiate } from './negotiate.ts';
import type { PathRoutes } from './path-routes.ts';
import { requestInfo } from './request-info.ts';
import type { RequestInfo } from './request-info.ts';
import { checkTimeout } from './request-timeout.ts';
import { endpointFor } from './resource-routes.ts';
import type { ServerRequest, ServerResponse } from './respond.ts';
import { respond, textOf, wantsPretty } from './respond.ts';
import { secureRequest } from './secured-request.ts';

/** What the handler needs of the server. */
export interface HandlerOptions {
  server: ServerParts;
  paths: PathRoutes;
  metrics: Metrics;
}

/** Answers one HTTP request; every failure becomes a Status. */
export async function handleRequest(
  options: HandlerOptions,
  request: ServerRequest,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const warnings: string[] = [];
  let info: RequestInfo | undefined;
  try {
    info = requestInfo(request.method, request.url);
    checkTimeout(info);
    await dispatch(options, { request, response, info, warnings });
  } catch (error) {
    await answerError({ ...options, request, response, error, info, warnings }).catch((failure: unknown) => {
      // The client has gone: there is nobody to tell.
      options.server.log.debug({ err: failure, path: info?.path }, 'no answer could be written');
    });
  } finally {
    options.metrics.observe({
      info,
      kind: info?.isResource === true ? options.server.kinds.find(info) : undefined,
      status: response.statusCode,
      seconds: (performance.now() - started) / 1000,
    });
  }
}

interface Exchange {
  request: ServerRequest;
  response: ServerResponse;
  info: RequestInfo;
  /** What the client is told, also when its request fails. */
  warnings: string[];
}

async function dispatch(
  { server, paths, metrics }: HandlerOptions,
  { request, response, info, warnings }: Exchange,
): Promise<void> {
  const socket = tlsSocketOf(request);
  const user = await secureRequest({ server, info, request, socket });
  if (!info.isResource) return paths.answer({ request, response, info, user });
  const resource = resourceRequest({ server, request, response, info, user, warnings });
  if (info.verb === 'watch' && resource.subresource === undefined && resource.kind.verbs.includes('watch')) {
    metrics.watchers.inc();
    await watchObjects(resource).finally(() => metrics.watchers.dec());
    return;
  }
  if (info.verb === 'list' && resource.kind.verbs.includes('list')) {
    const { mediaType } = resource.representation;
    return respond(request, response, {
      status: 200,
      body: await listObjects(resource),
      contentType: mediaType,
      warnings,
    });
  }
  await answerResult(resource);
}

/** The TLS connection below a request of either HTTP version. */
const tlsSocketOf = (request: ServerRequest): TLSSocket =>
  (request.httpVersionMajor === 2
    ? (request.stream.session?.socket ?? request.socket)
    : request.socket) as TLSSocket;

/** Finds the kind, subresource and representation. Throws 404 and 406. */
export function resourceRequest(
  options: Pick<ResourceRequest, 'server' | 'request' | 'response' | 'info' | 'user' | 'warnings'>,
): ResourceRequest {
  const { server, request, info } = options;
  const kind = server.kinds.find(info);
  if (kind === undefined) throw unknownPathError();
  const subresource = kind.subresources?.find(({ name }) => name === info.subresource);
  if (info.subresource !== '' && subresource === undefined) throw unknownPathError();
  checkPath(kind, info);
  const streams = subresource !== undefined && ['log', 'proxy'].includes(subresource.name);
  // What is answered and never stored has no columns (upstream: its storage is no TableConvertor).
  const table = !isReview(kind);
  const representation = negotiate(streams ? undefined : request.headers.accept, { table });
  if (representation === undefined || representation.as === 'APIGroupDiscoveryList') throw notAcceptable();
  if (kind.deprecation !== undefined) options.warnings.push(kind.deprecation);
  return { ...options, kind, subresource, representation };
}

/** A path must name its object in one way only: two spellings of one store key would be authorised differently. */
function checkPath({ namespaced, plural }: Kind, { namespace, name, verb }: RequestInfo): void {
  // A Namespace's own path puts it into itself; any other namespace would be authorised there and act here.
  const home = plural === 'namespaces' ? name : '';
  const isForeign = !namespaced && namespace !== home;
  const isHomeless = namespaced && namespace === '' && (name !== '' || verb === 'create');
  const isCrooked = [namespace, name].some((part) => part.includes('/') || part === '.' || part === '..');
  if (isForeign || isHomeless || isCrooked) throw unknownPathError();
}

async function answerResult(resource: ResourceRequest): Promise<void> {
  const { request, response, representation, info, kind, warnings } = resource;
  const result = await endpointFor(resource)(resource);
  if (result === undefined) return;
  await resource.server.customResources.settle(resource);
  const includeObject = info.query.get('includeObject') ?? 'Metadata';
  const isOwnKind = result.object.kind === kind.kind;
  const value = isOwnKind
    ? representObject({ kind, object: result.object, representation, includeObject })
    : result.object;
  const pretty = wantsPretty(info.query, request.headers['user-agent']);
  const { mediaType } = representation;
  await respond(request, response, {
    status: result.status,
    body: textOf(value, { mediaType, pretty }),
    contentType: mediaType,
    warnings,
    ...(result.headers !== undefined && { headers: result.headers }),
  });
}

async function answerError(
  options: HandlerOptions & {
    request: ServerRequest;
    response: ServerResponse;
    error: unknown;
    info: RequestInfo | undefined;
    warnings: string[];
  },
): Promise<void> {
  const { server, request, response, info, warnings } = options;
  const error = statusErrorOf(options.error, { server, path: info?.path ?? request.url });
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const pretty = wantsPretty(info?.query ?? new URLSearchParams(), request.headers['user-agent']);
  await respond(request, response, {
    status: error.status.code ?? 500,
    body: textOf(error.status, { mediaType: 'application/json', pretty }),
    headers: errorHeaders(error),
    warnings,
  });
}

/** The error as Status; what no code foresaw is logged and becomes a 500. */
export function statusErrorOf(
  error: unknown,
  { server, path }: { server: ServerParts; path: string },
): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof URIError) return statusOfBadPath();
  server.log.error({ err: error, path }, 'request failed');
  return internalError(error instanceof Error ? error.message : String(error));
}

const statusOfBadPath = (): StatusError => unknownPathError();

function errorHeaders({ status }: StatusError): Record<string, string> {
  const seconds = status.details?.retryAfterSeconds;
  return seconds === undefined ? {} : { 'retry-after': String(seconds) };
}
