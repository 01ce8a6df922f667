import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { Pod } from '../../../api/types.ts';
import { send } from '../../kubelet-proxy/send.ts';
import type { OutgoingRequest } from '../../kubelet-proxy/send.ts';
import { notFoundError, serviceUnavailable } from '../../http/errors.ts';
import type { ServerRequest } from '../../http/respond.ts';
import type { Endpoint, ResourceRequest } from '../context.ts';
import { placeOfRequest } from '../place.ts';
import { carryOver, endToEndHeaders, signalOf } from './forward-answer.ts';
import { originOf, parseTarget } from './proxy-target.ts';

/** nodes/proxy: the kubelet's own API, or another port of the node. Throws 400, 404 and 503. */
export const proxyNode: Endpoint = (request) => {
  const { kubelets } = request.server;
  const target = parseTarget(request.info.name, 'node');
  const base = new URL(kubelets.baseUrl(target.name));
  if (target.port === '' || target.port === (base.port || '443'))
    return proxy(request, base.origin, (options) => kubelets.send(options));
  // Only the kubelet is shown the server's certificate, and has one that can be checked.
  return proxy(request, originOf(target, base.hostname.replaceAll(/[[\]]/g, '')), send);
};

/** pods/proxy: HTTP to the asked or the first port of the Pod. Throws 400, 404 and 503. */
export const proxyPod: Endpoint = async (request) => {
  const { server, kind, info } = request;
  const target = parseTarget(info.name, 'pod');
  const place = { ...placeOfRequest(request), name: target.name };
  const pod = (await server.stores.of(kind).find(place))?.object as Pod | undefined;
  if (pod === undefined) throw notFoundError(kind, target.name);
  const port = target.port || firstPortOf(pod);
  const address = pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP ?? '';
  return proxy(request, originOf({ ...target, port }, address), send);
};

const firstPortOf = ({ spec }: Pod): string =>
  String(spec?.containers.flatMap(({ ports }) => ports ?? [])[0]?.containerPort ?? '');

/**
 * Carries one request on to `origin`, and the answer back (upstream: util/proxy UpgradeAwareHandler.ServeHTTP). The path goes on as
 * the client wrote it but for what `send` makes a URL of: dot segments are resolved, and what no URL may hold is percent-encoded.
 */
async function proxy(
  request: ResourceRequest,
  origin: string,
  via: (options: OutgoingRequest) => Promise<IncomingMessage>,
): Promise<undefined> {
  const { info, request: incoming } = request;
  const [written, query] = splitQuery(incoming.url);
  // Two slashes would begin the name of a host.
  const path = written.replace(/^\/+/, '/');
  const search = query === undefined ? '' : `?${query}`;
  // Relative links of a page at the root need the slash (https://issue.k8s.io/4958).
  if (info.rest === '' && ['GET', 'HEAD'].includes(info.method))
    return redirect(request, `${path}/${search}`);
  const signal = signalOf(request);
  const prefix = path.slice(0, path.length - info.rest.length);
  const answer = await reach(() =>
    via({
      url: `${origin}${info.rest}${search}`,
      method: info.method,
      signal,
      headers: passedHeaders(incoming, path),
      ...(hasBody(incoming) && { body: incoming as unknown as Readable }),
    }),
  );
  return carryOver({
    request,
    answer,
    signal,
    change: (headers) => shownHeaders(headers, { origin, prefix }),
  });
}

function splitQuery(url: string): [path: string, query: string | undefined] {
  const at = url.indexOf('?');
  return at < 0 ? [url, undefined] : [url.slice(0, at), url.slice(at + 1)];
}

function redirect({ response }: ResourceRequest, location: string): undefined {
  response.writeHead(301, { location });
  response.end();
}

async function reach(open: () => Promise<IncomingMessage>): Promise<IncomingMessage> {
  const fail = (why: string) => serviceUnavailable(`error trying to reach service: ${why}`);
  const answer = await open().catch((error: unknown) => {
    throw fail(error instanceof Error ? error.message : String(error));
  });
  const { statusCode = 0 } = answer;
  if (statusCode >= 200 && statusCode <= 599) return answer;
  // HTTP/2 has no other statuses than these.
  answer.destroy();
  throw fail(`malformed HTTP status code "${statusCode}"`);
}

/** Which web pages may use this server is not for a Pod to say (upstream: util/proxy removeCORSHeaders). */
const CROSS_ORIGIN = new Set([
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
]);

interface Place {
  origin: string;
  prefix: string;
}

function shownHeaders(headers: IncomingHttpHeaders, place: Place): IncomingHttpHeaders {
  const { location, ...others } = headers;
  const shown = Object.fromEntries(Object.entries(others).filter(([name]) => !CROSS_ORIGIN.has(name)));
  return { ...shown, ...(location !== undefined && { location: rewritten(location, place) }) };
}

/** A redirect within the place comes through the proxy again (upstream: util/proxy Transport.rewriteURL). */
function rewritten(location: string, { origin, prefix }: Place): string {
  const path = location.startsWith(`${origin}/`) ? location.slice(origin.length) : location;
  const isAbsolutePath = path.startsWith('/') && !path.startsWith('//');
  return isAbsolutePath && !path.startsWith(`${prefix}/`) ? `${prefix}${path}` : location;
}

/**
 * The client's credentials for this server never travel on; who asks and for which path does (upstream: util/proxy Transport.RoundTrip,
 * which also tells the host and the scheme of a URL that has them: that of a request to a server has neither).
 */
function passedHeaders(incoming: ServerRequest, path: string): Record<string, string | string[] | undefined> {
  const own = ['authorization', 'host', 'expect'];
  const kept = Object.fromEntries(
    Object.entries(endToEndHeaders(incoming.headers)).filter(
      ([name]) => !name.startsWith(':') && !own.includes(name) && !name.startsWith('impersonate-'),
    ),
  );
  // `Connection` may have named the length, too.
  const framed = 'content-length' in kept || !hasBody(incoming);
  return {
    ...kept,
    'x-forwarded-uri': path,
    'x-forwarded-for': forwardedFor(incoming, kept['x-forwarded-for']),
    // A body without a length would be read as a request of its own, past the check of the verb.
    ...(!framed && { 'transfer-encoding': 'chunked' }),
  };
}

/** Those that the request has come by already, and who has brought it here. */
function forwardedFor({ socket }: ServerRequest, before: string | string[] | undefined): string {
  const client = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return [before, client].flat().filter(Boolean).join(', ');
}

function hasBody({ httpVersionMajor, stream, headers }: ServerRequest): boolean {
  if (httpVersionMajor === 2) return !stream.endAfterHeaders;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
