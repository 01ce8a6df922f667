import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Client } from '../../client/rest.ts';
import type { Clock } from '../../client/clock.ts';

export interface User {
  name: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

interface TokenReview {
  status?: {
    authenticated?: boolean;
    user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
}

/** How long the API server's word on a token holds (upstream: authentication.webhook.cacheTTL). */
const cacheMs = 120_000;

/** Who a request comes from: a client certificate of the cluster's CA, or a token that the API server knows; else undefined. */
export function createAuthenticator({
  client,
  clock,
}: {
  client: Client;
  clock: Clock;
}): (request: IncomingMessage) => Promise<User | undefined> {
  const known = new Map<string, { user: User; untilMs: number }>();
  return async (request) => {
    const byCertificate = certificateUser(request.socket as TLSSocket);
    if (byCertificate) return byCertificate;
    const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!token) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const cached = known.get(key);
    if (cached && cached.untilMs > clock.now()) return cached.user;
    known.delete(key);
    const user = await reviewToken(client, token);
    if (user) known.set(key, { user, untilMs: clock.now() + cacheMs });
    return user;
  };
}

function certificateUser(socket: TLSSocket): User | undefined {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (!subject?.CN) return undefined;
  const organizations = (subject.O ?? []) as string | string[];
  return {
    name: String(subject.CN),
    groups: [...(Array.isArray(organizations) ? organizations : [organizations]), 'system:authenticated'],
  };
}

async function reviewToken(client: Client, token: string): Promise<User | undefined> {
  const { status } = await client.request<TokenReview>({
    method: 'POST',
    path: '/apis/authentication.k8s.io/v1/tokenreviews',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      spec: { token },
    }),
  });
  if (!status?.authenticated || !status.user?.username) return undefined;
  const { username, uid, groups = [], extra } = status.user;
  return { name: username, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
}
