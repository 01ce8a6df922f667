import { request as requestOverHttp } from 'node:http';
import { request as requestOverHttps } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { HTTPHeader } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';

export interface HttpRequestOptions {
  scheme: string;
  host: string;
  port: number;
  path: string;
  headers: HTTPHeader[];
  userAgent: string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  statusCode: number;
  location: string | undefined;
  /** At most 10 KiB of it. */
  body: string;
}

const maxBodyBytes = 10 * 1024;

/** One GET, without following redirects and without verifying a certificate. Rejects with Go-like network words. */
export function httpRequest(options: HttpRequestOptions): Promise<HttpAnswer> {
  const { scheme, host, port, timeoutMs, signal } = options;
  const url = urlOf(options);
  return new Promise((resolve, reject) => {
    const send = scheme === 'https' ? requestOverHttps : requestOverHttp;
    const fail = (error: Error) => {
      cancel();
      reject(new Error(`Get "${url}": ${networkWords(error, `${host}:${port}`)}`, { cause: error }));
    };
    const request = send(
      url,
      {
        method: 'GET',
        headers: headersOf(options),
        agent: false,
        rejectUnauthorized: false,
        ...(signal ? { signal } : {}),
      },
      (response) => {
        readBody(response).then((body) => {
          cancel();
          resolve({ statusCode: response.statusCode ?? 0, location: response.headers.location, body });
        }, fail);
      },
    );
    const cancel = systemClock.after(timeoutMs, () =>
      request.destroy(
        new Error('context deadline exceeded (Client.Timeout exceeded while awaiting headers)'),
      ),
    );
    request.on('error', fail);
    request.end();
  });
}

/** Host and port as a URL has them. */
export const authorityOf = ({ host, port }: Pick<HttpRequestOptions, 'host' | 'port'>): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`;

const urlOf = ({ scheme, host, port, path }: HttpRequestOptions): string =>
  `${scheme}://${authorityOf({ host, port })}${path.startsWith('/') ? path : `/${path}`}`;

/** The spec's headers win; an empty Accept or User-Agent there takes the header away, as upstream does. */
function headersOf({ headers, userAgent }: HttpRequestOptions): Record<string, string[] | string> {
  const sent: Record<string, string[] | string> = {
    'user-agent': userAgent,
    accept: '*/*',
    connection: 'close',
  };
  for (const { name, value } of headers) {
    const key = name.toLowerCase();
    const before = sent[key];
    sent[key] = key !== 'host' && Array.isArray(before) ? [...before, value ?? ''] : [value ?? ''];
    if (key === 'host') sent[key] = value ?? '';
    if (!value && (key === 'accept' || key === 'user-agent')) delete sent[key];
  }
  return sent;
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= maxBodyBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString();
}

/** Network errors in the words that Kubernetes users know. */
export function networkWords(error: Error, address: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED') return `dial tcp ${address}: connect: connection refused`;
  if (code === 'EHOSTUNREACH') return `dial tcp ${address}: connect: no route to host`;
  if (code === 'ETIMEDOUT') return `dial tcp ${address}: i/o timeout`;
  if (code !== 'ECONNRESET') return error.message;
  return error.message.includes('hang up') ? 'EOF' : 'read: connection reset by peer';
}
