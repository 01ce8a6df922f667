import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { Refusal } from '../refusal.ts';
import { SpdyConnection } from './connection.ts';
import type { SpdyConnectionOptions } from './connection.ts';

export interface Upgrade {
  request: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

/** Picks the first protocol that the client names and `supported` has; throws Refusal, worded and numbered as upstream does. */
export function negotiateStreamProtocol(request: IncomingMessage, supported: string[]): string {
  const values = request.headersDistinct['x-stream-protocol-version'];
  if (values === undefined) {
    const count = Object.keys(request.headersDistinct).length;
    const message = `unable to upgrade: header X-Stream-Protocol-Version does not exist in request with ${count} headers`;
    throw new Refusal(400, message);
  }
  const offered = values.flatMap((value) => value.split(',').map((one) => one.trim())).filter(Boolean);
  const chosen = offered.find((protocol) => supported.includes(protocol));
  if (chosen !== undefined) return chosen;
  throw new Refusal(
    403,
    `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.join(' ')}]`,
    supported.map((protocol) => ['X-Accepted-Stream-Protocol-Versions', protocol]),
  );
}

/** Answers 101 and speaks SPDY on the socket from then on. Throws Refusal when the client did not ask for SPDY/3.1. */
export function upgradeToSpdy(
  { request, socket, head }: Upgrade,
  { protocol, onStream }: { protocol: string; onStream: SpdyConnectionOptions['onStream'] },
): SpdyConnection {
  const upgrade = request.headers.upgrade?.toLowerCase() ?? '';
  if (!upgrade.includes('spdy/3.1')) {
    throw new Refusal(400, 'unable to upgrade: missing upgrade headers in request');
  }
  const lines = ['Connection: Upgrade', 'Upgrade: SPDY/3.1', `X-Stream-Protocol-Version: ${protocol}`];
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  return new SpdyConnection({ socket, role: 'server', onStream });
}
