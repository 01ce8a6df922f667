import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { answerOnSocket, proxyUpgrade, UpgradeDialError } from '../../client/upgrade-proxy.ts';
import type { StatusError } from '../../api/status.ts';
import type { ResourceRequest, ServerParts } from '../endpoints/context.ts';
import { connectUrl } from '../endpoints/subresources/connect.ts';
import { isWebSocketUpgrade, streamLogMessages } from '../endpoints/subresources/log-messages.ts';
import { badRequest, internalError, methodNotSupported } from './errors.ts';
import { resourceRequest, statusErrorOf } from './handler.ts';
import { requestInfo } from './request-info.ts';
import type { ServerRequest, ServerResponse } from './respond.ts';
import { checkCreateRight, secureRequest } from './secured-request.ts';

const CONNECTABLE = new Set(['exec', 'attach', 'portforward']);

interface UpgradeOptions {
  server: ServerParts;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

/**
 * Carries exec, attach and port-forward connections (SPDY and WebSocket) to the Pod's kubelet, as bytes; a log comes in the messages of
 * a WebSocket.
 */
export async function handleUpgrade(options: UpgradeOptions): Promise<void> {
  const { server, request, socket } = options;
  socket.on('error', () => socket.destroy());
  try {
    const resource = await prepare(server, request, socket as TLSSocket);
    if (isLogOverWebSocket(resource, request)) await streamLogMessages(resource, options);
    else await connect(resource, options);
  } catch (error) {
    answerFailure(socket, failureOf(error, server, request));
  }
}

const isLogOverWebSocket = ({ info }: Pick<ResourceRequest, 'info'>, request: IncomingMessage): boolean =>
  info.subresource === 'log' && isWebSocketUpgrade(request);

async function connect(
  resource: ResourceRequest,
  { server, request, socket, head }: UpgradeOptions,
): Promise<void> {
  // A WebSocket comes as GET; it needs the right to create all the same (upstream: AuthorizePodWebsocketUpgradeCreatePermission).
  checkCreateRight(resource);
  const url = await connectUrl(resource);
  const { ca, cert, key } = server.kubelets.tls;
  await proxyUpgrade({
    request,
    socket,
    head,
    target: { url, tls: { ca, cert, key } },
    signal: server.stopping,
  });
}

async function prepare(
  server: ServerParts,
  request: IncomingMessage,
  socket: TLSSocket,
): Promise<ResourceRequest> {
  const info = requestInfo(request.method ?? 'GET', request.url ?? '/');
  const user = await secureRequest({ server, info, request, socket });
  // An upgrade has no response object; the endpoints that answer upgrades don't use one.
  const { accept: _any, ...headers } = request.headers;
  const bare = Object.assign(Object.create(request) as ServerRequest, { headers });
  const resource = resourceRequest({
    server,
    info,
    user,
    request: bare,
    response: undefined as unknown as ServerResponse,
    warnings: [],
  });
  if (!CONNECTABLE.has(info.subresource) && !isLogOverWebSocket(resource, request)) {
    throw badRequest('upgrade is not supported on this path');
  }
  if (!resource.subresource?.verbs.some((verb) => verb === info.verb))
    throw methodNotSupported(resource.kind, info.verb);
  return resource;
}

function failureOf(error: unknown, server: ServerParts, request: IncomingMessage): StatusError {
  if (error instanceof UpgradeDialError) return internalError(error.message);
  return statusErrorOf(error, { server, path: request.url ?? '' });
}

function answerFailure(socket: Duplex, { status }: StatusError): void {
  answerOnSocket(socket, {
    statusCode: status.code ?? 500,
    statusMessage: status.reason ?? '',
    headers: [['Content-Type', 'application/json']],
    body: JSON.stringify(status),
  });
}
