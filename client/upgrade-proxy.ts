import { request as requestOverHttp } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { request as requestOverHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from 'node:tls';

/** Where an upgraded connection is carried on to; `tls` is used with https URLs only. */
export interface UpgradeTarget {
  url: URL | string;
  tls?: Pick<
    ConnectionOptions,
    'ca' | 'cert' | 'key' | 'servername' | 'rejectUnauthorized' | 'checkServerIdentity'
  >;
}

export interface UpgradeProxyOptions {
  /** The client's request, socket and first bytes, as node:http's 'upgrade' event gives them. */
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
  target: UpgradeTarget;
  /** Headers that replace the client's; undefined takes one away. */
  headers?: OutgoingHttpHeaders;
  /** Ends the connection on both sides, for a server that stops. */
  signal?: AbortSignal;
  /** How long a target may take nothing of what a client has sent that is gone; then it is closed all the same. Default 5000. */
  lingerMs?: number;
}

export interface SocketAnswer {
  statusCode: number;
  statusMessage?: string;
  /** [name, value] pairs, so that a name may come twice. */
  headers?: [string, string][];
  body?: string | Buffer;
}

/** How long the target may take to accept and to answer. */
const dialTimeoutMs = 30_000;

/** The target could not be reached or hung up before its answer; nothing was written to the client. */
export class UpgradeDialError extends Error {
  readonly target: string;

  constructor(target: string, cause: Error) {
    super(`error dialing backend: ${cause.message}`, { cause });
    this.name = 'UpgradeDialError';
    this.target = target;
  }
}

/**
 * Carries an upgrade request (exec, attach, port-forward) on to `target`, then splices both connections as bytes
 * until one of them ends, so that neither SPDY nor WebSocket is understood here (as upstream's UpgradeAwareHandler).
 *
 * An answer other than 101 (the target refuses: 400, 404, 500, ...) is passed to the client whole, and the
 * client's connection is closed after it. Resolves with the target's status code when everything is over.
 * The client's credentials never travel on. Throws UpgradeDialError, with `socket` still usable for answerOnSocket.
 */
export async function proxyUpgrade(options: UpgradeProxyOptions): Promise<{ statusCode: number }> {
  const { socket, head, lingerMs = 5000 } = options;
  const guard = guardUntilSpliced(socket);
  const abort = () => socket.destroy();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    const answer = await dial(options);
    if (answer.kind === 'refused') {
      await passRefusal(answer.response, socket);
    } else {
      socket.write(responseHead(answer.response, answer.response.rawHeaders));
      if (answer.head.length > 0) socket.write(answer.head);
      if (head.length > 0) answer.socket.write(head);
      guard.release();
      await splice(socket, answer.socket, lingerMs);
    }
    return { statusCode: answer.response.statusCode ?? 502 };
  } finally {
    guard.release();
    options.signal?.removeEventListener('abort', abort);
  }
}

/** Writes one whole HTTP/1.1 answer on a socket that was taken out of the HTTP server by an upgrade, and closes it. */
export function answerOnSocket(socket: Duplex, answer: SocketAnswer): void {
  if (socket.destroyed) return;
  const body = Buffer.from(answer.body ?? '');
  const headers = [
    ...(answer.headers ?? []),
    ['Content-Length', String(body.length)],
    ['Connection', 'close'],
  ];
  const status = `${answer.statusCode} ${answer.statusMessage ?? ''}`.trimEnd();
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.on('error', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${lines}\r\n`, 'latin1'), body]));
}

type Answer =
  | { kind: 'upgraded'; response: IncomingMessage; socket: Duplex; head: Buffer }
  | { kind: 'refused'; response: IncomingMessage };

/** Until the splice owns the socket, its errors are only noted: a client may go away while the target is dialled. */
function guardUntilSpliced(socket: Duplex) {
  const ignore = () => undefined;
  socket.on('error', ignore);
  return { release: () => setImmediate(() => socket.off('error', ignore)) };
}

function dial(options: UpgradeProxyOptions): Promise<Answer> {
  const url = new URL(options.target.url);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = startRequest(url, options);
  const fail = (cause: Error) => reject(new UpgradeDialError(url.host, cause));
  const clientGone = () => outgoing.destroy(new Error('the client closed its connection'));
  options.socket.once('close', clientGone);
  outgoing.once('upgrade', (response, socket, head) => resolve({ kind: 'upgraded', response, socket, head }));
  outgoing.once('response', (response) => resolve({ kind: 'refused', response }));
  outgoing.once('error', fail);
  outgoing.setTimeout(dialTimeoutMs, () => outgoing.destroy(new Error('i/o timeout')));
  outgoing.end();
  if (options.socket.destroyed) clientGone();
  return promise.finally(() => {
    options.socket.off('close', clientGone);
    outgoing.setTimeout(0);
  });
}

function startRequest(url: URL, { request, target, headers }: UpgradeProxyOptions): ClientRequest {
  const start = url.protocol === 'https:' ? requestOverHttps : requestOverHttp;
  return start({
    ...target.tls,
    agent: false,
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port || (url.protocol === 'https:' ? 443 : 80),
    path: `${url.pathname}${url.search}`,
    method: request.method ?? 'GET',
    headers: replaceHeaders({ ...forwardedHeaders(request), host: url.host }, headers ?? {}),
  });
}

/** What the client said, without its credentials and without headers that belong to one hop (RFC 9110, 7.6.1). */
function forwardedHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const kept = Object.entries(request.headersDistinct)
    .filter(([name]) => !droppedHeaders.has(name))
    .map(([name, values]) => [name, valueOf(name, values ?? [])] as const);
  return Object.fromEntries(kept.filter(([, value]) => value.length > 0));
}

const droppedHeaders = new Set(
  'authorization cookie keep-alive proxy-authorization proxy-connection te trailer transfer-encoding'.split(
    ' ',
  ),
);

function valueOf(name: string, values: string[]): string | string[] {
  if (name === 'sec-websocket-protocol') return withoutBearerProtocol(values);
  return values.length === 1 ? (values[0] ?? '') : values;
}

/** A browser can send its token only as a WebSocket subprotocol (upstream: authentication/request/websocket). */
function withoutBearerProtocol(values: string[]): string {
  const protocols = values.flatMap((value) => value.split(',').map((protocol) => protocol.trim()));
  return protocols.filter((one) => !one.startsWith('base64url.bearer.authorization.k8s.io.')).join(', ');
}

function replaceHeaders(
  headers: OutgoingHttpHeaders,
  replacements: OutgoingHttpHeaders,
): OutgoingHttpHeaders {
  const lowerCased = Object.entries(replacements).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const merged = Object.entries({ ...headers, ...Object.fromEntries(lowerCased) });
  return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
}

function responseHead(response: IncomingMessage, rawHeaders: string[]): Buffer {
  const lines: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}\r\n`);
  }
  const status = `${response.statusCode} ${response.statusMessage ?? ''}`.trimEnd();
  return Buffer.from(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`, 'latin1');
}

/** The body's framing is the socket's end: node has already taken chunked encoding apart. */
async function passRefusal(response: IncomingMessage, socket: Duplex): Promise<void> {
  const hop = new Set(['connection', 'transfer-encoding', 'keep-alive', 'upgrade']);
  const rawHeaders: string[] = [];
  for (let index = 0; index + 1 < response.rawHeaders.length; index += 2) {
    const name = response.rawHeaders[index] ?? '';
    if (!hop.has(name.toLowerCase())) rawHeaders.push(name, response.rawHeaders[index + 1] ?? '');
  }
  socket.write(responseHead(response, [...rawHeaders, 'Connection', 'close']));
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once('close', resolve).once('error', () => socket.destroy());
  response.once('error', () => socket.destroy());
  response.pipe(socket);
  if (socket.destroyed) resolve();
  await promise;
  response.destroy();
}

/**
 * Bytes both ways with back-pressure; what one side has sent is flushed to the other before that one is closed. But a command that doesn't
 * read its input must not outlive its client: nobody would ever see that this one has gone.
 */
function splice(client: Duplex, target: Duplex, lingerMs: number): Promise<void> {
  for (const side of [client, target]) keepOpen(side);
  return Promise.all([
    carry(client, target, () => closeWhenStalled(target, lingerMs)),
    carry(target, client, () => undefined),
  ]).then(() => undefined);
}

/** The end of one direction is the end of the connection: both protocols have their own half-close inside. */
function carry(from: Duplex, to: Duplex, onEnd: () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const finish = () => {
    from.off('end', finish).off('close', finish);
    closeWhenFlushed(to);
    onEnd();
    resolve();
  };
  from.on('error', () => from.destroy());
  from.once('end', finish).once('close', finish);
  from.pipe(to);
  if (from.destroyed) finish();
  return promise;
}

function closeWhenFlushed(stream: Duplex): void {
  if ('destroySoon' in stream) (stream as Socket).destroySoon();
  else stream.destroy();
}

function closeWhenStalled(stream: Duplex, lingerMs: number): void {
  if (stream.closed) return;
  let left = stream.writableLength;
  const timer = setInterval(() => {
    if (stream.writableLength === left) stream.destroy();
    left = stream.writableLength;
  }, lingerMs);
  stream.once('close', () => clearInterval(timer));
}

function keepOpen(stream: Duplex): void {
  if (!('setNoDelay' in stream)) return;
  const socket = stream as Socket;
  socket.setTimeout(0);
  socket.setNoDelay(true);
  socket.setKeepAlive(true, 30_000);
}
