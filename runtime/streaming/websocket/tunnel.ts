import { createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import type { Duplex } from 'node:stream';

/**
 * The bytes in a WebSocket's binary messages as one Duplex: a SPDY connection is spoken in there (KEP-4006). The borders
 * of messages mean nothing.
 */
export function openTunnel(webSocket: WebSocket): Duplex {
  const stream = createWebSocketStream(webSocket, { allowHalfOpen: false });
  stream.on('error', () => stream.destroy());
  return stream;
}
