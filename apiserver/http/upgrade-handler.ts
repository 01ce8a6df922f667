import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { answerOnSocket, proxyUpgrade, UpgradeDialError } from '../../client/upgrade-proxy.ts';
import type { StatusError } from '../../api/status.ts';
import type { ServerParts } from '../endpoints/context.ts';
import { connectUrl } from '../endpoints/subresources/connect.ts';
import { badRequest, internalError, methodNotSupported } from './errors.ts';
import { resourceRequest, statusErrorOf } from './handler.ts';
import { requestInfo } from './request-info.ts';
import type { ServerRequest, ServerResponse } from './respond.ts';
import { checkCreateRight, secureRequest } from './secured-request.ts';

const CONNECTABLE = new Set(['exec', 'attach', 'portforward']);

/** Carries exec, attach and port-forward connections (SPDY and WebSocket) to the Pod's kubelet, as bytes. */
export async function handleUpgrade(options: {
  server: ServerParts;
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}): Promise<void> {
  const { server, request, socket, head } = options;
  socket.on('error', () => socket.destroy());
  try {
    const url = await prepare(server, request, socket as TLSSocket);
    const { ca, cert, key } = server.kubelets.tls;
    await proxyUpgrade({
      request,
      socket,
      head,
      target: { url, tls: { ca, cert, key } },
      signal: server.stopping,
    });
  } catch (error) {
    answerFailure(socket, failureOf(error, server, request));
  }
}

async function prepare(server: ServerParts, request: IncomingMessage, socket: TLSSocket): Promise<string> {
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
  });
  if (!CONNECTABLE.has(info.subresource)) throw badRequest('upgrade is not supported on this path');
  if (!resource.subresource?.verbs.some((verb) => verb === info.verb))
    throw methodNotSupported(resource.kind, info.verb);
  // A WebSocket comes as GET; it needs the right to create all the same (upstream: AuthorizePodWebsocketUpgradeCreatePermission).
  checkCreateRight(resource);
  return connectUrl(resource);
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
