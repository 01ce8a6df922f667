import type { AuthenticationV1TokenRequest, Pod } from '../../api/types.ts';
import { systemClock } from '../../client/clock.ts';
import type { Clock } from '../../client/clock.ts';
import { serviceAccounts } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';

export interface TokenOptions {
  pod: Pod;
  /** The API server's own when not given. */
  audience?: string | undefined;
  /** Wished; the server may give less or more. */
  expirationSeconds: number;
}

export interface Token {
  token: string;
  /** When to ask again, in milliseconds since the Unix epoch. */
  refreshAtMs: number;
  /** In milliseconds since the Unix epoch. */
  expiresAtMs: number;
}

export interface TokenManager {
  /**
   * The token of the Pod's service account, renewed when it is due. While a renewal fails, the old token is given as
   * long as it is valid. Rejects with Error (`failed to fetch token: …`).
   */
  getToken(options: TokenOptions): Promise<Token>;
  /** Forgets the Pod's tokens. */
  forgetPod(uid: string): void;
}

interface Kept extends Token {
  uid: string;
}

const maxAgeMs = 24 * 60 * 60 * 1000;
const maxJitterMs = 10_000;
/** After a failed renewal of a token that is still valid. */
const retryMs = 30_000;

export interface TokenManagerOptions {
  client: Client;
  clock?: Clock;
  random?: () => number;
  /** Told a renewal that failed while the old token is still valid. */
  onError?: (error: unknown) => void;
}

/** Gets and keeps service account tokens bound to Pods (KEP-1205). */
export const createTokenManager = (options: TokenManagerOptions): TokenManager => {
  const { client, clock = systemClock, random = Math.random, onError } = options;
  const tokens = new Map<string, Kept>();
  const asking = new Map<string, Promise<Kept>>();

  const ask = async (key: string, wanted: TokenOptions): Promise<Kept> => {
    const { name, namespace } = serviceAccountOf(wanted.pod);
    const answer = await client
      .resource(serviceAccounts)
      .subresource<AuthenticationV1TokenRequest>('token')
      .create({ name, namespace, object: requestFor(wanted) });
    const kept = keep(answer, wanted, random() * maxJitterMs);
    tokens.set(key, kept);
    return kept;
  };

  const askOnce = (key: string, wanted: TokenOptions): Promise<Kept> => {
    const running = asking.get(key) ?? ask(key, wanted).finally(() => asking.delete(key));
    asking.set(key, running);
    return running;
  };

  return {
    async getToken(wanted) {
      const key = keyOf(wanted);
      const kept = tokens.get(key);
      if (kept !== undefined && clock.now() < kept.refreshAtMs) return kept;
      try {
        return await askOnce(key, wanted);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        if (kept === undefined) throw new Error(`failed to fetch token: ${why}`, { cause: error });
        if (clock.now() >= kept.expiresAtMs) {
          throw new Error(`token ${key} expired and refresh failed: ${why}`, { cause: error });
        }
        onError?.(error);
        return { ...kept, refreshAtMs: clock.now() + retryMs };
      }
    },
    forgetPod(uid) {
      for (const [key, kept] of tokens) if (kept.uid === uid) tokens.delete(key);
    },
  };
};

const serviceAccountOf = ({ metadata, spec }: Pod): { name: string; namespace: string } => ({
  namespace: metadata?.namespace ?? '',
  name: spec?.serviceAccountName === '' ? 'default' : (spec?.serviceAccountName ?? 'default'),
});

const requestFor = ({ pod, audience, expirationSeconds }: TokenOptions): AuthenticationV1TokenRequest => ({
  apiVersion: 'authentication.k8s.io/v1',
  kind: 'TokenRequest',
  spec: {
    audiences: audience === undefined || audience === '' ? [] : [audience],
    expirationSeconds,
    boundObjectRef: {
      apiVersion: 'v1',
      kind: 'Pod',
      name: pod.metadata?.name ?? '',
      uid: pod.metadata?.uid ?? '',
    },
  },
});

const keep = (answer: AuthenticationV1TokenRequest, { pod }: TokenOptions, jitterMs: number): Kept => {
  const { token = '', expirationTimestamp = '' } = answer.status ?? {};
  const expiresAtMs = Date.parse(expirationTimestamp);
  if (token === '' || Number.isNaN(expiresAtMs)) throw new Error('the API server answered without a token');
  const lifeMs = (answer.spec?.expirationSeconds ?? 3600) * 1000;
  const issuedAtMs = expiresAtMs - lifeMs;
  // A short life must not be all jitter.
  const jitter = Math.min(jitterMs, lifeMs / 10);
  const refreshAtMs = Math.min(expiresAtMs - lifeMs * 0.2, issuedAtMs + maxAgeMs) - jitter;
  return { token, uid: pod.metadata?.uid ?? '', expiresAtMs, refreshAtMs };
};

/** Nothing secret in it: upstream's errors show it. */
const keyOf = ({ pod, audience = '', expirationSeconds }: TokenOptions): string =>
  JSON.stringify([
    serviceAccountOf(pod).name,
    pod.metadata?.namespace,
    audience,
    expirationSeconds,
    pod.metadata?.uid,
  ]);
