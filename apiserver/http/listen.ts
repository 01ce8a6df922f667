import type { IncomingMessage } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { Duplex } from 'node:stream';

/** An address to listen on; port 0 takes a free one. */
export interface ListenAddress {
  host: string;
  port: number;
}

/** Callbacks of the HTTPS listener. */
export interface ListenOptions {
  address: ListenAddress;
  cert: string;
  key: string;
  /** Client certificates are asked for and checked against this authority, but a token will do too. */
  clientCa: string;
  onRequest: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  onUpgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

export interface Listener {
  port: number;
  close(): Promise<void>;
}

const MAX_STREAMS = 250;
/** While more than this waits to be sent on a connection, Node.js refuses new requests on it; by default 10, less than one list can have. */
const MAX_SESSION_MEGABYTES = 1024;
const KEEP_ALIVE_MS = 90_000;
/** As Go's default, for HTTP/1.1: the command of an exec stands in its URL, and Node.js takes only 16 KiB. */
const MAX_HEADER_BYTES = 1024 * 1024;

/** Listens for HTTPS: HTTP/2 for client-go, HTTP/1.1 for upgrades and simple clients, on one port (ALPN decides). */
export async function listen(options: ListenOptions): Promise<Listener> {
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.cert,
    key: options.key,
    ca: options.clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    maxSessionMemory: MAX_SESSION_MEGABYTES,
    settings: { maxConcurrentStreams: MAX_STREAMS },
  });
  const connections = trackConnections(server);
  const { onRequest, onUpgrade } = options;
  server.on('request', onRequest);
  server.on('upgrade', onUpgrade);
  // Watches are silent for long and streams last for hours: no request may be cut off by a clock.
  const clocks = { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0, headersTimeout: 60_000 };
  Object.assign(server, { ...clocks, maxHeaderSize: MAX_HEADER_BYTES });
  server.setTimeout(0);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: options.address.host, port: options.address.port }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listen: the server has no port');
  return { port: address.port, close: () => closeServer(server, connections) };
}

function trackConnections(server: Http2SecureServer): Set<Duplex> {
  const connections = new Set<Duplex>();
  const track = (socket: Duplex) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  };
  server.on('secureConnection', track);
  // A client that breaks off its handshake or sends nonsense concerns nobody else.
  server.on('tlsClientError', () => undefined);
  server.on('clientError', (_error, socket) => void (socket as Duplex).destroy());
  server.on('sessionError', () => undefined);
  return connections;
}

function closeServer(server: Http2SecureServer, connections: Set<Duplex>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of connections) socket.destroy();
  });
}
