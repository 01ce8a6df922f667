import { createHash } from 'node:crypto';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { stringify } from 'yaml';

export type ServerRequest = Http2ServerRequest;
export type ServerResponse = Http2ServerResponse;

/** As upstream's: smaller answers are not worth the compression. */
const GZIP_FROM_BYTES = 128 * 1024;
const gzipAsync = promisify(gzip);

/** An answer ready to be written: its JSON text (or something else with `contentType`). */
export interface Answer {
  status: number;
  body: string | Buffer;
  contentType?: string;
  headers?: Record<string, string>;
  warnings?: string[];
}

/** Writes an answer: pretty-printed or YAML when asked, compressed when large, warnings as RFC 7234 `Warning: 299`. */
export async function respond(
  request: ServerRequest,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  if (response.headersSent || response.writableEnded || isGone(response)) return;
  response.setHeader('content-type', answer.contentType ?? 'application/json');
  response.setHeader('cache-control', 'no-cache, private');
  setWarnings(response, answer.warnings ?? []);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  const body = await compress(
    request,
    response,
    typeof answer.body === 'string' ? Buffer.from(answer.body) : answer.body,
  );
  response.writeHead(answer.status);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

async function compress(request: ServerRequest, response: ServerResponse, body: Buffer): Promise<Buffer> {
  response.setHeader('vary', 'Accept-Encoding');
  const accepted = String(request.headers['accept-encoding'] ?? '');
  if (body.length < GZIP_FROM_BYTES || !/\bgzip\b/.test(accepted)) {
    response.setHeader('content-length', body.length);
    return body;
  }
  const zipped = await gzipAsync(body, { level: 1 });
  response.setHeader('content-encoding', 'gzip');
  response.setHeader('content-length', zipped.length);
  return zipped;
}

/** The connection or HTTP/2 stream is closed: setting a header would throw. */
export const isGone = (response: ServerResponse): boolean =>
  (response as { destroyed?: boolean }).destroyed === true ||
  (response as { stream?: { destroyed: boolean } }).stream?.destroyed === true;

/** Tells the client texts by the headers of an answer. */
export function setWarnings(response: ServerResponse, warnings: string[]): void {
  if (warnings.length > 0) response.setHeader('warning', warnings.map(warningHeader));
}

const warningHeader = (text: string): string => `299 - "${headerText(text).replaceAll(/["\\]/g, '\\$&')}"`;

/** Header values carry no control characters (RFC 9110 section 5.5), and Node.js writes them byte by byte: these are UTF-8's. */
const headerText = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  Buffer.from(text.replaceAll(/[\u0000-\u001f\u007f]/g, ' ')).toString('latin1');

/** The text of a value in the asked form; browsers and `?pretty=true` get indented JSON as upstream. */
export function textOf(value: unknown, options: { mediaType: string; pretty: boolean }): string {
  if (options.mediaType === 'application/yaml') return stringify(value, { aliasDuplicateObjects: false });
  return options.pretty ? `${JSON.stringify(value, null, 2)}\n` : JSON.stringify(value);
}

/** True when the query or the client (curl, wget, a browser) asks for indented JSON. */
export function wantsPretty(query: URLSearchParams, userAgent: string | undefined): boolean {
  const asked = query.get('pretty');
  if (asked) return /^(1|t|T|true|TRUE|True)$/.test(asked);
  return /^(curl|Wget|Mozilla\/5\.0)/.test(userAgent ?? '');
}

/** A strong ETag of a body. */
export const etagOf = (body: string | Buffer): string =>
  `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;

/** Writes a document that clients cache by ETag: 304 when they have it. */
export async function respondCached(
  request: ServerRequest,
  response: ServerResponse,
  answer: Answer & { etag: string },
): Promise<void> {
  const headers = { ...answer.headers, etag: answer.etag, 'cache-control': 'public' };
  if (request.headers['if-none-match'] !== answer.etag)
    return respond(request, response, { ...answer, headers });
  response.writeHead(304, headers);
  response.end();
}
