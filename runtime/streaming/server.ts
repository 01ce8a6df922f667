import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerOnSocket } from '../../client/upgrade-proxy.ts';
import { trace } from '../../linux/trace.ts';
import { invalidArgument } from '../errors.ts';
import { Refusal } from './refusal.ts';
import { serveAttach, serveExec } from './remote-command.ts';
import type { WantedStreams } from './remote-command.ts';
import { createRequestCache } from './request-cache.ts';
import { serveSpdyPortForward } from './spdy/port-forward.ts';
import type { Upgrade } from './spdy/upgrade.ts';
import type { StreamingRuntime } from './streaming-runtime.ts';
import { serveWebSocketPortForward } from './websocket/port-forward.ts';
import { isWebSocketUpgrade } from './websocket/upgrade.ts';

export interface StreamingServerOptions {
  /** The node's IP: reachable for the node's kubelet and, from the host, for crictl, which stands outside of the node's namespace. */
  address: string;
  /** 0, the default, takes any free one. */
  port?: number;
  /** PEM. With it the URLs are https; clients need no certificate, the one-time token in the URL is their credential. */
  tls?: { cert: string | Buffer; key: string | Buffer };
  runtime: StreamingRuntime;
}

/** The requests as CRI has them (ExecRequest, AttachRequest, PortForwardRequest). */
export type ExecUrlRequest = WantedStreams & { containerId: string; cmd: string[] };
export type AttachUrlRequest = WantedStreams & { containerId: string };
export interface PortForwardUrlRequest {
  podSandboxId: string;
  port: number[];
}

export interface StreamingServer {
  /** Where a client may, once and within a minute, stream; throws CriError INVALID_ARGUMENT or RESOURCE_EXHAUSTED. */
  getExecUrl: (request: ExecUrlRequest) => string;
  getAttachUrl: (request: AttachUrlRequest) => string;
  getPortForwardUrl: (request: PortForwardUrlRequest) => string;
  /** Stops listening and cuts every connection. */
  stop: () => Promise<void>;
}

type Waiting =
  | { verb: 'exec'; request: ExecUrlRequest }
  | { verb: 'attach'; request: AttachUrlRequest }
  | { verb: 'portforward'; request: PortForwardUrlRequest };

const idleTimeoutMs = 4 * 60 * 60 * 1000;
const log = trace('streaming');

/**
 * Starts the server that exec, attach and port-forward stream through: CRI's Exec, Attach and PortForward only hand out a
 * URL, at which the client (kubelet, crictl) speaks SPDY or WebSocket (as k8s.io/kubelet, cri/streaming). Resolves when it listens.
 */
export async function startStreamingServer(options: StreamingServerOptions): Promise<StreamingServer> {
  const { address, port = 0, tls, runtime } = options;
  const cache = createRequestCache<Waiting>();
  const server: Server = tls === undefined ? createHttpServer() : createHttpsServer(tls);
  const sockets = new Set<Duplex>();
  server.on('connection', (socket: Socket) => track(sockets, socket));
  server.on('upgrade', (request, socket, head) => {
    void serveUpgrade({ request, socket, head }, { cache, runtime });
  });
  server.on('request', (request, response) => {
    const known = waitingFor(request, cache) !== undefined;
    response.writeHead(known ? 400 : 404, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(known ? 'unable to upgrade: missing upgrade headers in request\n' : '404 page not found\n');
  });
  server.listen(port, address);
  await once(server, 'listening');
  const base = baseUrl(server.address() as AddressInfo, { scheme: tls === undefined ? 'http' : 'https' });
  const urlOf = (waiting: Waiting) => `${base}/${waiting.verb}/${cache.insert(waiting)}`;
  return {
    getExecUrl: (request) => urlOf({ verb: 'exec', request: validated(request) }),
    getAttachUrl: (request) => urlOf({ verb: 'attach', request: validated(request) }),
    getPortForwardUrl(request) {
      if (request.podSandboxId === '') throw invalidArgument('missing required pod_sandbox_id');
      return urlOf({ verb: 'portforward', request });
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function track(sockets: Set<Duplex>, socket: Socket): void {
  sockets.add(socket);
  socket.setNoDelay(true);
  socket.once('close', () => sockets.delete(socket));
}

function baseUrl({ address, family, port }: AddressInfo, { scheme }: { scheme: string }): string {
  return `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function validated<Request extends AttachUrlRequest>(request: Request): Request {
  if (request.containerId === '') throw invalidArgument('missing required container_id');
  if (request.tty && request.stderr) throw invalidArgument('tty and stderr cannot both be true');
  if (!request.stdin && !request.stdout && !request.stderr) {
    throw invalidArgument('one of stdin, stdout, or stderr must be set');
  }
  return request;
}

interface Serving {
  cache: ReturnType<typeof createRequestCache<Waiting>>;
  runtime: StreamingRuntime;
}

/** A token is used up by the first request that shows it, also by one that is refused. */
function waitingFor(request: IncomingMessage, cache: Serving['cache']): Waiting | undefined {
  const [, verb, token] = /^\/(exec|attach|portforward)\/([\w-]+)$/.exec(request.url ?? '') ?? [];
  if (verb === undefined || token === undefined) return undefined;
  const waiting = cache.consume(token);
  return waiting?.verb === verb ? waiting : undefined;
}

async function serveUpgrade(upgrade: Upgrade, { cache, runtime }: Serving): Promise<void> {
  const { request, socket } = upgrade;
  socket.on('error', () => socket.destroy());
  (socket as Socket).setTimeout(idleTimeoutMs, () => socket.destroy());
  try {
    const waiting = waitingFor(request, cache);
    if (waiting === undefined) throw new Refusal(404, '404 page not found');
    log('serving', { verb: waiting.verb });
    await serve(upgrade, waiting, runtime);
  } catch (error) {
    log('not served', { url: request.url?.replace(/[^/]*$/, '...'), error });
    if (error instanceof Refusal) refuse(socket, error);
    else socket.destroy();
  }
}

function serve(upgrade: Upgrade, { verb, request }: Waiting, runtime: StreamingRuntime): Promise<void> {
  switch (verb) {
    case 'exec':
      return serveExec(upgrade, { request: { ...request, command: request.cmd }, runtime });
    case 'attach':
      return serveAttach(upgrade, { request, runtime });
    case 'portforward': {
      const target = { sandboxId: request.podSandboxId, ports: request.port, runtime };
      const websocket = isWebSocketUpgrade(upgrade.request);
      return websocket ? serveWebSocketPortForward(upgrade, target) : serveSpdyPortForward(upgrade, target);
    }
  }
}

function refuse(socket: Duplex, { statusCode, message, headers }: Refusal): void {
  answerOnSocket(socket, {
    statusCode,
    statusMessage: STATUS_CODES[statusCode] ?? '',
    headers: [...headers, ['Content-Type', 'text/plain; charset=utf-8']],
    body: `${message}\n`,
  });
}
