import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { StatusError } from '../../../api/status.ts';
import { statusError } from '../../http/errors.ts';
import { isGone } from '../../http/respond.ts';
import type { ResourceRequest } from '../context.ts';

/** Headers that belong to one connection (RFC 9110 section 7.6.1); HTTP/2 forbids them. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
]);

/** Asks the Pod's kubelet and streams its answer to the client; a refusal becomes a Status. */
export async function forwardAnswer({
  request,
  url,
}: {
  request: ResourceRequest;
  url: string;
}): Promise<undefined> {
  const signal = signalOf(request);
  const answer = await askKubelet(request, { url, signal });
  return carryOver({ request, answer, signal });
}

/** What a kubelet answers; its refusal is thrown as a Status. */
export async function askKubelet(
  { server }: Pick<ResourceRequest, 'server'>,
  { url, signal }: { url: string; signal: AbortSignal },
): Promise<IncomingMessage> {
  const answer = await server.kubelets.request({ url, method: 'GET', signal });
  const status = answer.statusCode ?? 502;
  if (status >= 400) throw await refusalOf(answer, status);
  return answer;
}

/** Aborted when the client leaves or the server stops: what was asked for them is given up then. */
export function signalOf({ response, server }: ResourceRequest): AbortSignal {
  const gone = new AbortController();
  if (isGone(response)) gone.abort();
  response.once('close', () => gone.abort());
  return AbortSignal.any([gone.signal, server.stopping]);
}

/** Streams an answer to the client as it comes, with all headers that are meant for it. */
export async function carryOver(options: {
  request: ResourceRequest;
  answer: IncomingMessage;
  signal: AbortSignal;
  /** Makes of the answer's headers those that the client gets. */
  change?: (headers: IncomingHttpHeaders) => IncomingHttpHeaders;
}): Promise<undefined> {
  const { request, answer, signal, change = (headers) => headers } = options;
  const { response, server } = request;
  const headers = change(endToEndHeaders(answer.headers));
  try {
    response.writeHead(answer.statusCode ?? 502, headers);
    await pipeline(answer, response, { signal });
  } catch (error) {
    answer.destroy();
    if (!response.headersSent) throw error;
    // The client left or the other side died in the middle: headers are out, closing is all that is left to say.
    if (!signal.aborted) server.log.debug({ err: error, path: request.info.path }, 'proxied stream ended');
    response.destroy();
  }
  return undefined;
}

/** The headers without those that belong to one connection, by their nature or because `Connection` says so. */
export function endToEndHeaders(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name) && !named.includes(name)),
  );
}

/** Upstream's GenericHttpResponseChecker: the kubelet's text is the message. */
async function refusalOf(answer: AsyncIterable<Buffer>, code: number): Promise<StatusError> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString().trim();
  const reason =
    code === 400 ? 'BadRequest' : code === 404 ? 'NotFound' : code === 403 ? 'Forbidden' : 'InternalError';
  return statusError({ code, reason, message: text });
}
