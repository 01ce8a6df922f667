import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { StatusError } from '../../../api/status.ts';
import { statusError } from '../../http/errors.ts';
import type { ResourceRequest } from '../context.ts';

/** Headers that belong to one connection (RFC 9110 section 7.6.1); HTTP/2 forbids them. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
  'te',
  'trailer',
]);

/** Sends a request to a kubelet and streams its answer to the client; a log's refusal becomes a Status. */
export async function forwardAnswer(options: {
  request: ResourceRequest;
  url: string;
  method: string;
  headers?: Record<string, string | string[] | undefined>;
  withBody?: boolean;
}): Promise<undefined> {
  const { request, url, method, headers, withBody } = options;
  const { server, response, request: incoming } = request;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, server.stopping]);
  const answer = await server.kubelets.request({
    url,
    method,
    signal,
    ...(headers !== undefined && { headers }),
    ...(withBody === true && { body: incoming as unknown as Readable }),
  });
  const status = answer.statusCode ?? 502;
  if (withBody !== true && status >= 400) throw await refusalOf(answer, status);
  response.writeHead(status, endToEndHeaders(answer.headers));
  try {
    await pipeline(answer, response, { signal });
  } catch (error) {
    // The client left or the kubelet died in the middle: headers are out, closing is all that is left to say.
    if (!signal.aborted) server.log.debug({ err: error, url }, 'proxied stream ended');
    response.destroy();
  }
  return undefined;
}

const endToEndHeaders = (headers: IncomingHttpHeaders) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !HOP_BY_HOP.has(name)));

/** Upstream's GenericHttpResponseChecker: the kubelet's text is the message. */
async function refusalOf(answer: AsyncIterable<Buffer>, code: number): Promise<StatusError> {
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString().trim();
  const reason =
    code === 400 ? 'BadRequest' : code === 404 ? 'NotFound' : code === 403 ? 'Forbidden' : 'InternalError';
  return statusError({ code, reason, message: text });
}
