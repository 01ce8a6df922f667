import type { IncomingHttpHeaders } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { unauthorizedError } from '../http/errors.ts';
import { certificateUser } from './client-certificate.ts';
import type { ServiceAccountTokens } from './service-account-tokens.ts';
import type { UserInfo } from './user.ts';
import { ANONYMOUS } from './user.ts';

/** What may be asked without credentials: is the server alive, and which one is it. */
const OPEN_PATHS = /^\/(healthz|livez|readyz)(\/|$)|^\/version\/?$/;

/**
 * Who makes the request: a client certificate first, then a bearer token. Without either only health and version are open.
 * Throws 401.
 */
export async function authenticate(options: {
  socket: TLSSocket;
  headers: IncomingHttpHeaders;
  path: string;
  tokens: ServiceAccountTokens;
}): Promise<UserInfo> {
  const { socket, headers, path, tokens } = options;
  const fromCertificate = certificateUser(socket);
  if (fromCertificate !== undefined && fromCertificate !== 'invalid') return fromCertificate;
  const token = bearerToken(headers);
  if (token !== undefined) {
    const verified = await tokens.verify(token);
    if (verified !== undefined) return verified.user;
  } else if (fromCertificate === undefined && OPEN_PATHS.test(path)) {
    return ANONYMOUS;
  }
  throw unauthorizedError();
}

const PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** The token of the Authorization header, or of a WebSocket's subprotocol (browsers can set no headers). */
function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  const [scheme, token] = (headers.authorization ?? '').split(' ');
  if (scheme?.toLowerCase() === 'bearer' && token) return token;
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());
  const carrier = protocols.find((protocol) => protocol.startsWith(PROTOCOL_PREFIX));
  return carrier === undefined
    ? undefined
    : Buffer.from(carrier.slice(PROTOCOL_PREFIX.length), 'base64url').toString();
}
