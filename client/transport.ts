import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { ConnectionError } from './connection-error.ts';
import { raceAbort, wait } from './clock.ts';

/** Where the API server is and who we are to it; PEM texts. */
export interface TransportOptions {
  /** Such as `https://127.0.0.1:6443`. */
  server: string;
  ca?: string | Buffer | undefined;
  cert?: string | Buffer | undefined;
  key?: string | Buffer | undefined;
  /** A bearer token, or where to take the present one from (it is asked for each request). */
  token?: string | (() => string) | undefined;
  insecureSkipTlsVerify?: boolean | undefined;
  /** The name that the server's certificate must carry, where it isn't the host of `server`. */
  tlsServerName?: string | undefined;
  userAgent?: string | undefined;
}

export interface TransportRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers?: Record<string, string>;
  body?: string | Buffer | undefined;
  signal?: AbortSignal | undefined;
  /** Silence after which the request is given up; none for watches. */
  timeoutMs?: number | undefined;
}

export interface TransportResponse {
  status: number;
  headers: IncomingHttpHeaders;
  /** The body; whoever asked must read it to the end or close it. */
  stream: ClientHttp2Stream;
}

export interface Transport {
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Called after each new connection to the server; the answer takes the listener away. */
  onConnect(listener: () => void): () => void;
  close(): void;
}

interface PooledSession {
  session: ClientHttp2Session;
  openStreams: number;
}

/** Go's HTTP/2 servers allow 100 or 250 streams on a connection; a watch holds one for minutes. */
const maxStreamsPerSession = 100;
const windowBytes = 8 * 1024 * 1024;
/** client-go's values: ping a connection that was silent for 30 s, give it up 15 s later. */
const pingAfterMs = 30_000;
const pingTimeoutMs = 15_000;
const connectRetryDelaysMs = [20, 50, 100, 200, 400];

/**
 * HTTP/2 to the API server. All watches and requests of a process share few connections: no request waits for
 * a TLS handshake, and an event is on its way to the handler as soon as its frame is here.
 * A refused connection is tried again for about a second, which hides the restart of an API server.
 */
export const createTransport = (options: TransportOptions): Transport => {
  const authority = new URL(options.server).host;
  const sessions = new Set<PooledSession>();
  const listeners = new Set<() => void>();
  let connecting: Promise<PooledSession> | undefined;
  let closed = false;

  /** A session with room for one more stream, which is thereby taken. */
  const takeStream = (): PooledSession | undefined => {
    for (const pooled of sessions) {
      const { session, openStreams } = pooled;
      if (session.connecting || session.closed || session.destroyed) continue;
      if (openStreams >= maxStreamsPerSession) continue;
      pooled.openStreams += 1;
      return pooled;
    }
    return undefined;
  };

  const reconnect = async (): Promise<PooledSession> => {
    const pooled = await connectWithRetries(options, sessions);
    // Closed while it waited to try again.
    if (closed) pooled.session.destroy();
    else for (const listener of listeners) listener();
    return pooled;
  };

  const connectAndTakeStream = async (signal: AbortSignal | undefined): Promise<PooledSession> => {
    for (;;) {
      signal?.throwIfAborted();
      if (closed) throw new ConnectionError({ message: 'the client is closed', unsent: false });
      const pooled = takeStream();
      if (pooled !== undefined) return pooled;
      connecting ??= reconnect().finally(() => (connecting = undefined));
      await (signal === undefined ? connecting : raceAbort(connecting, signal));
    }
  };

  return {
    async request(request) {
      request.signal?.throwIfAborted();
      const pooled = takeStream() ?? (await connectAndTakeStream(request.signal));
      return send(pooled, request, headersOf(options, authority, request));
    },
    onConnect(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closed = true;
      for (const { session } of sessions) session.destroy();
      sessions.clear();
    },
  };
};

const headersOf = ({ token, userAgent }: TransportOptions, authority: string, request: TransportRequest) => {
  const bearer = typeof token === 'function' ? token() : token;
  return {
    ':method': request.method,
    ':path': request.path,
    ':authority': authority,
    'user-agent': userAgent ?? 'podwright',
    ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    ...request.headers,
  };
};

const connectWithRetries = async (options: TransportOptions, sessions: Set<PooledSession>) => {
  for (const delayMs of connectRetryDelaysMs) {
    try {
      return await connectOnce(options, sessions);
    } catch (error) {
      if (!(error instanceof ConnectionError) || error.code !== 'ECONNREFUSED') throw error;
      await wait({ delayMs });
    }
  }
  return connectOnce(options, sessions);
};

const connectOnce = (options: TransportOptions, sessions: Set<PooledSession>): Promise<PooledSession> =>
  new Promise((resolve, reject) => {
    const session = connect(options.server, {
      ca: options.ca,
      cert: options.cert,
      key: options.key,
      rejectUnauthorized: options.insecureSkipTlsVerify !== true,
      ...(options.tlsServerName === undefined ? {} : { servername: options.tlsServerName }),
      ALPNProtocols: ['h2'],
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    const pooled = { session, openStreams: 0 };
    sessions.add(pooled);
    session.once('connect', () => {
      session.setLocalWindowSize(2 * windowBytes);
      keepAlive(session);
      resolve(pooled);
    });
    session.on('error', (error: NodeJS.ErrnoException) => {
      sessions.delete(pooled);
      reject(new ConnectionError({ message: `connect to ${options.server}`, cause: error, unsent: true }));
    });
    // The server goes away: open streams may end by themselves, new ones need a new connection.
    session.once('goaway', () => sessions.delete(pooled));
    session.once('close', () => {
      sessions.delete(pooled);
      reject(new ConnectionError({ message: `connect to ${options.server}: closed`, unsent: true }));
    });
  });

const keepAlive = (session: ClientHttp2Session) => {
  const interval = setInterval(() => {
    if (session.closed || session.destroyed) return;
    const giveUp = setTimeout(() => session.destroy(new Error('ping timeout')), pingTimeoutMs);
    giveUp.unref();
    session.ping(() => clearTimeout(giveUp));
  }, pingAfterMs);
  interval.unref();
  session.once('close', () => clearInterval(interval));
};

const send = (
  pooled: PooledSession,
  { method, path, body, signal, timeoutMs }: TransportRequest,
  headers: Record<string, string>,
): Promise<TransportResponse> =>
  new Promise((resolve, reject) => {
    const operation = `${method} ${path}`;
    let stream: ClientHttp2Stream;
    let answered = false;
    try {
      stream = pooled.session.request(headers, { endStream: body === undefined });
    } catch (error) {
      pooled.openStreams -= 1;
      reject(new ConnectionError({ message: operation, cause: error, unsent: true }));
      return;
    }
    const abort = () => stream.close(constants.NGHTTP2_CANCEL);
    signal?.addEventListener('abort', abort, { once: true });
    if (timeoutMs !== undefined) {
      stream.setTimeout(timeoutMs, () => {
        stream.destroy(new Error(`no answer within ${timeoutMs} ms`));
      });
    }
    stream.once('response', (responseHeaders) => {
      answered = true;
      resolve({ status: Number(responseHeaders[':status']), headers: responseHeaders, stream });
    });
    // Stays for the life of the stream: an error after the response is seen by the reader of the body.
    stream.on('error', (error) => {
      if (!answered) reject(failureOf({ operation, stream, signal, cause: error }));
    });
    stream.once('close', () => {
      pooled.openStreams -= 1;
      signal?.removeEventListener('abort', abort);
      if (!answered) reject(failureOf({ operation, stream, signal, cause: undefined }));
    });
    if (body !== undefined) stream.end(body);
  });

const failureOf = ({
  operation,
  stream,
  signal,
  cause,
}: {
  operation: string;
  stream: ClientHttp2Stream;
  signal: AbortSignal | undefined;
  cause: unknown;
}): unknown => {
  if (signal?.aborted) return signal.reason;
  // The server promises that it has not looked at a refused stream (RFC 9113, section 8.7).
  const unsent = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
  return new ConnectionError({ message: `${operation}: connection lost`, cause, unsent });
};
