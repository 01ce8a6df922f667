import { randomBytes } from 'node:crypto';
import { CriError } from '../errors.ts';

/** How long a URL is good for; it is given to the kubelet, which connects at once. */
const timeToLiveMs = 60_000;
const mostInFlight = 1000;

export interface RequestCache<Request> {
  /** Keeps a request and returns its token: 128 random bits, the only credential that the URL needs. */
  insert: (request: Request) => string;
  /** The request of a token, once; undefined when it is unknown, used or expired. */
  consume: (token: string) => Request | undefined;
}

/** Requests that wait for their client (k8s.io/kubelet, cri/streaming, request cache). `now` gives milliseconds. */
export function createRequestCache<Request>({
  now = Date.now,
}: { now?: () => number } = {}): RequestCache<Request> {
  // A Map keeps the order of insertion, which is the order of expiry.
  const waiting = new Map<string, { request: Request; expiresAt: number }>();
  const dropExpired = () => {
    for (const [token, { expiresAt }] of waiting) {
      if (expiresAt > now()) return;
      waiting.delete(token);
    }
  };
  return {
    insert(request) {
      dropExpired();
      if (waiting.size >= mostInFlight) {
        throw new CriError('RESOURCE_EXHAUSTED', 'maximum number of in-flight requests exceeded');
      }
      const token = randomBytes(16).toString('base64url');
      waiting.set(token, { request, expiresAt: now() + timeToLiveMs });
      return token;
    },
    consume(token) {
      dropExpired();
      const request = waiting.get(token)?.request;
      waiting.delete(token);
      return request;
    },
  };
}
