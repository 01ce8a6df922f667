import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { answerOnSocket } from '../../../client/upgrade-proxy.ts';
import { statusError } from '../../http/errors.ts';
import type { ResourceRequest } from '../context.ts';
import { logUrl } from './connect.ts';
import { askKubelet } from './forward-answer.ts';

/** The subprotocols (k8s.io/streaming, wsstream Reader): bytes as they are, or text messages of base64. None at all means bytes. */
const BINARY = 'binary.k8s.io';
const BASE64 = 'base64.binary.k8s.io';

export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

export const isWebSocketUpgrade = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket';

/**
 * GET pods/log as a WebSocket, for browsers: an empty message, then the log piece by piece, then the end. What the client sends is
 * ignored. Throws what the plain log throws, and 403 for subprotocols that are all unknown; nothing after the handshake.
 */
export async function streamLogMessages(resource: ResourceRequest, upgrade: Upgrade): Promise<void> {
  const { server, info } = resource;
  const url = await logUrl(resource);
  if (url === undefined)
    return answerOnSocket(upgrade.socket, { statusCode: 204, statusMessage: 'No Content' });
  const protocol = chooseProtocol(upgrade.request);
  const gone = new AbortController();
  upgrade.socket.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, server.stopping]);
  const answer = await askKubelet(resource, { url, signal });
  const webSocket = await openWebSocket(upgrade, protocol);
  const abort = () => void answer.destroy();
  signal.addEventListener('abort', abort, { once: true });
  webSocket?.once('close', abort);
  try {
    if (webSocket === undefined) return;
    await send(webSocket, Buffer.alloc(0), protocol);
    for await (const chunk of answer as AsyncIterable<Buffer>) await send(webSocket, chunk, protocol);
  } catch (error) {
    // The client left or the kubelet died in the middle: closing is all that is left to say.
    if (!signal.aborted) server.log.debug({ err: error, path: info.path }, 'log over a WebSocket ended');
  } finally {
    answer.destroy();
    signal.removeEventListener('abort', abort);
    if (signal.aborted) webSocket?.terminate();
    else webSocket?.close(1000);
  }
}

/** The first that the client names and we have; empty when it names none. */
function chooseProtocol({ headersDistinct }: IncomingMessage): string {
  const offered = (headersDistinct['sec-websocket-protocol'] ?? [])
    .flatMap((value) => value.split(',').map((one) => one.trim()))
    .filter(Boolean);
  if (offered.length === 0) return '';
  const chosen = offered.find((one) => one === BINARY || one === BASE64);
  if (chosen !== undefined) return chosen;
  throw statusError({
    code: 403,
    reason: 'Forbidden',
    message: `requested protocol(s) are not supported: [${offered.join(' ')}]; supports [${BASE64} ${BINARY}]`,
  });
}

/** Undefined when the handshake was broken, which the client has been told, or the client has left. */
function openWebSocket({ request, socket, head }: Upgrade, protocol: string): Promise<WebSocket | undefined> {
  const { promise, resolve } = Promise.withResolvers<WebSocket | undefined>();
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  });
  socket.once('close', () => resolve(undefined));
  server.handleUpgrade(request, socket, head, (webSocket) => {
    webSocket.on('error', () => webSocket.terminate());
    resolve(webSocket);
  });
  return promise;
}

function send(webSocket: WebSocket, bytes: Buffer, protocol: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  webSocket.send(protocol === BASE64 ? bytes.toString('base64') : bytes, (error) => {
    if (error) reject(error);
    else resolve();
  });
  return promise;
}
