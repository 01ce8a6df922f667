import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { Refusal } from '../refusal.ts';
import type { Upgrade } from '../spdy/upgrade.ts';

/** Clients send 32 KiB at a time; this is room for those that do not. */
const longestMessageBytes = 16 * 1024 * 1024;

/** The subprotocols that a client offers, in its order. */
export const offeredProtocols = (request: IncomingMessage): string[] =>
  (request.headersDistinct['sec-websocket-protocol'] ?? [])
    .flatMap((value) => value.split(',').map((one) => one.trim()))
    .filter(Boolean);

export const isWebSocketUpgrade = (request: IncomingMessage): boolean =>
  request.headers.upgrade?.toLowerCase() === 'websocket';

/**
 * Answers 101 with `protocol` (none when empty) and gives the open WebSocket. Throws Refusal for a broken handshake.
 *
 * The subprotocol is negotiated here and not by ws: it refuses `SPDY/3.1+portforward.k8s.io`, because RFC 6455 allows
 * no slash in the name, but that is what Kubernetes calls it.
 */
export function upgradeToWebSocket({ request, socket, head }: Upgrade, protocol: string): Promise<WebSocket> {
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: longestMessageBytes,
  });
  delete request.headers['sec-websocket-protocol'];
  server.on('headers', (headers) => {
    if (protocol !== '') headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
  });
  const { promise, resolve, reject } = Promise.withResolvers<WebSocket>();
  server.once('wsClientError', (error) => reject(new Refusal(400, error.message)));
  socket.once('close', () => reject(new Error('the client closed its connection')));
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => webSocket.terminate());
    resolve(webSocket);
  });
  return promise;
}

/** The answer to a client whose subprotocols are all unknown. */
export const unsupportedProtocols = (offered: string[], supported: string[]): Refusal =>
  new Refusal(
    403,
    `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${supported.join(' ')}]`,
  );

/** Settled when the WebSocket is closed, also when it broke. */
export function whenClosed(webSocket: WebSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  webSocket.once('close', () => resolve());
  return promise;
}
