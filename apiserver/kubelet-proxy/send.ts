import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Agent } from 'node:https';
import type { Readable } from 'node:stream';
import { hasCode } from '../../linux/system-error.ts';

export interface OutgoingRequest {
  url: string;
  method: string;
  headers?: Record<string, string | string[] | undefined>;
  body?: Readable;
  signal: AbortSignal;
}

/** Sends an HTTP request; resolves with the answer, whose body is still to be read. Rejects when there is none. */
export function send(options: OutgoingRequest & { agent?: Agent }): Promise<IncomingMessage> {
  const { url, method, headers = {}, body, signal, agent } = options;
  return new Promise((resolve, reject) => {
    const outgoing = url.startsWith('https:')
      ? httpsRequest(
          url,
          { method, headers, signal, ...(agent === undefined ? UNCHECKED : { agent }) },
          resolve,
        )
      : httpRequest(url, { method, headers, signal }, resolve);
    outgoing.once('error', (error) => {
      // The server had closed the kept connection, or was another one: nothing was done, so it is asked on a new one.
      const isStale = outgoing.reusedSocket && hasCode(error, 'ECONNRESET', 'EPIPE');
      if (isStale && method === 'GET' && body === undefined) resolve(send(options));
      else reject(error);
    });
    // An answer that switches protocols is none: Node closes the connection without an error.
    outgoing.once('close', () => reject(new Error('the connection was closed without an answer')));
    if (body === undefined) outgoing.end();
    else body.pipe(outgoing);
  });
}

/** What a Pod serves is signed by an authority of its own (upstream's proxy transport doesn't check it either). */
const UNCHECKED = { rejectUnauthorized: false };
