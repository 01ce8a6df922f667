import { readJson, statusErrorOf } from './response-body.ts';
import { ConnectionError } from './connection-error.ts';
import { createResourceClient } from './resource-client.ts';
import type { ResourceClient } from './resource-client.ts';
import { createTransport } from './transport.ts';
import type { TransportOptions, TransportRequest, TransportResponse } from './transport.ts';
import { systemClock, wait } from './clock.ts';
import type { Clock } from './clock.ts';
import type { ApiObject, ResourceId } from './objects.ts';

export interface ClientOptions extends TransportOptions {
  clock?: Clock;
  /** Called with the text of each warning that the server sends (header Warning, code 299). */
  onWarning?: (text: string) => void;
}

export interface Client {
  /** The address it was made with. */
  readonly server: string;
  /** A typed face for one resource, such as `client.resource(pods)`. */
  resource<T extends ApiObject>(id: ResourceId<T>): ResourceClient<T>;
  /** Any path of the server; resolves with the parsed JSON, rejects with StatusError or ConnectionError. */
  request<T>(request: TransportRequest): Promise<T>;
  /** Like request, with the body as a stream of bytes. */
  stream(request: TransportRequest): Promise<TransportResponse>;
  /** Called when the server is reached again, so that nobody need wait out a back-off; the answer takes it away. */
  onConnect?(listener: () => void): () => void;
  close(): void;
}

const maxRetries = 10;
const requestTimeoutMs = 60_000;

/**
 * A client of the Kubernetes REST API over HTTP/2 with TLS; who we are is a client certificate or a token.
 * Answers 429 and 5xx with Retry-After are tried again, up to ten times, as client-go does. A lost connection
 * is tried again where that is safe: any request the server surely didn't look at, and every GET.
 */
export const createClient = (options: ClientOptions): Client => {
  const transport = createTransport(options);
  const clock = options.clock ?? systemClock;

  const stream = async (request: TransportRequest): Promise<TransportResponse> => {
    for (let attempt = 0; ; attempt += 1) {
      const outcome = await transport.request(request).catch((error: unknown) => {
        if (attempt < maxRetries && isSafeToRepeat(error, request)) return undefined;
        throw error;
      });
      if (outcome === undefined) {
        await wait({ clock, delayMs: Math.min(20 * 2 ** attempt, 1000), signal: request.signal });
        continue;
      }
      const retryAfterMs = retryAfterOf(outcome);
      if (retryAfterMs !== undefined && attempt < maxRetries) {
        outcome.stream.close();
        await wait({ clock, delayMs: retryAfterMs, signal: request.signal });
        continue;
      }
      reportWarnings(outcome, options.onWarning);
      if (outcome.status >= 400) throw await statusErrorOf(outcome, request);
      return outcome;
    }
  };

  const request = async <T>(options: TransportRequest): Promise<T> =>
    readJson<T>(await stream({ timeoutMs: requestTimeoutMs, ...options }));

  return {
    server: options.server,
    resource: (id) => createResourceClient({ id, request, stream }),
    request,
    stream,
    onConnect: (listener) => transport.onConnect(listener),
    close: () => transport.close(),
  };
};

/** A connection lost while a GET ran is likely back in a moment; a watch has its own way to go on. */
const isSafeToRepeat = (error: unknown, { method, signal, path }: TransportRequest): boolean => {
  if (!(error instanceof ConnectionError) || signal?.aborted === true) return false;
  // A refused connection was tried several times below, in the transport.
  if (error.code === 'ECONNREFUSED') return false;
  return error.unsent || (method === 'GET' && !path.includes('watch=true') && error.code === 'ECONNRESET');
};

/** Milliseconds; undefined when the server doesn't ask for a retry. */
const retryAfterOf = ({ status, headers }: TransportResponse): number | undefined => {
  if (status !== 429 && status < 500) return undefined;
  const seconds = Number(headers['retry-after']);
  return headers['retry-after'] === undefined || Number.isNaN(seconds) ? undefined : seconds * 1000;
};

const reportWarnings = ({ headers }: TransportResponse, onWarning?: (text: string) => void) => {
  if (onWarning === undefined || headers['warning'] === undefined) return;
  for (const match of String(headers['warning']).matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
    onWarning((match[1] ?? '').replaceAll(/\\(.)/g, '$1'));
  }
};
