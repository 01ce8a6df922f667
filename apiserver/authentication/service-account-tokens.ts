import type { KeyObject } from 'node:crypto';
import { createHash, createPrivateKey, createPublicKey, randomUUID } from 'node:crypto';
import { errors, exportJWK, jwtVerify, SignJWT } from 'jose';
import type { JWK } from 'jose';
import type { Stores } from '../storage/stores.ts';
import type { UserInfo } from './user.ts';
import { ALL_AUTHENTICATED } from './user.ts';

/** The object that a token dies with. */
export interface BoundObject {
  kind: 'Pod' | 'Secret' | 'Node';
  name: string;
  uid: string;
}

interface Reference {
  name: string;
  uid: string;
}

/** The `kubernetes.io` claim (upstream: pkg/serviceaccount/claims.go). */
interface KubernetesClaim {
  namespace: string;
  serviceaccount: Reference;
  pod?: Reference;
  secret?: Reference;
  node?: Reference;
  warnafter?: number;
}

/** What was asked for and granted with a token. */
export interface TokenGrant {
  namespace: string;
  serviceAccount: Reference;
  audiences: string[];
  expirationSeconds: number;
  bound: BoundObject | undefined;
  /** The node of a bound Pod. */
  node: Reference | undefined;
}

/** A token that is valid for at least one of the audiences asked about. */
export interface VerifiedToken {
  user: UserInfo;
  audiences: string[];
}

/** Signs and verifies service account tokens; a token of a deleted account, Pod, Secret or Node is no longer valid. */
export class ServiceAccountTokens {
  readonly issuer: string;
  readonly #stores: Stores;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #algorithm: string;
  readonly #keyId: string;

  constructor(options: { issuer: string; privateKeyPem: string; stores: Stores }) {
    this.issuer = options.issuer;
    this.#stores = options.stores;
    this.#privateKey = createPrivateKey(options.privateKeyPem);
    this.#publicKey = createPublicKey(this.#privateKey);
    this.#algorithm = this.#publicKey.asymmetricKeyType === 'ec' ? 'ES256' : 'RS256';
    const der = this.#publicKey.export({ type: 'spki', format: 'der' });
    this.#keyId = createHash('sha256').update(der).digest('base64url');
  }

  /** Signs a token. Returns it with its end. */
  async issue(grant: TokenGrant): Promise<{ token: string; expiresAt: Date }> {
    const now = Math.floor(Date.now() / 1000);
    const expiry = now + grant.expirationSeconds;
    const token = await new SignJWT({ 'kubernetes.io': claimOf(grant) })
      .setProtectedHeader({ alg: this.#algorithm, kid: this.#keyId })
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${grant.namespace}:${grant.serviceAccount.name}`)
      .setAudience(grant.audiences)
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expiry)
      .setJti(randomUUID())
      .sign(this.#privateKey);
    return { token, expiresAt: new Date(expiry * 1000) };
  }

  /** The user of a token, or undefined when it is no valid one for any of the audiences. */
  async verify(token: string, audiences = [this.issuer]): Promise<VerifiedToken | undefined> {
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        issuer: this.issuer,
        audience: audiences,
      });
      const claim = payload['kubernetes.io'] as KubernetesClaim | undefined;
      if (claim === undefined || !this.#stillStands(claim)) return undefined;
      const held = Array.isArray(payload.aud) ? payload.aud : [payload.aud ?? ''];
      return {
        user: userOf(claim, payload.jti),
        audiences: held.filter((audience) => audiences.includes(audience)),
      };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** The public key set that relying parties verify tokens with (GET /openid/v1/jwks). */
  async keySet(): Promise<{ keys: JWK[] }> {
    const key = await exportJWK(this.#publicKey);
    return { keys: [{ ...key, kid: this.#keyId, alg: this.#algorithm, use: 'sig' }] };
  }

  #stillStands({ namespace, serviceaccount, pod, secret, node }: KubernetesClaim): boolean {
    return (
      this.#is('serviceaccounts', namespace, serviceaccount) &&
      (pod === undefined || this.#is('pods', namespace, pod)) &&
      (secret === undefined || this.#is('secrets', namespace, secret)) &&
      (node === undefined || pod !== undefined || this.#is('nodes', '', node))
    );
  }

  #is(plural: string, namespace: string, { name, uid }: Reference): boolean {
    return this.#stores.named('', plural).peek({ namespace, name })?.metadata.uid === uid;
  }
}

function claimOf({ namespace, serviceAccount, bound, node }: TokenGrant): KubernetesClaim {
  const reference = bound === undefined ? undefined : { name: bound.name, uid: bound.uid };
  return {
    namespace,
    serviceaccount: serviceAccount,
    ...(reference !== undefined && { [bound?.kind.toLowerCase() ?? '']: reference }),
    ...(node !== undefined && { node }),
  };
}

function userOf(claim: KubernetesClaim, tokenId: string | undefined): UserInfo {
  const { namespace, serviceaccount, pod, node } = claim;
  const extra = {
    ...(pod !== undefined && {
      'authentication.kubernetes.io/pod-name': [pod.name],
      'authentication.kubernetes.io/pod-uid': [pod.uid],
    }),
    ...(node !== undefined && {
      'authentication.kubernetes.io/node-name': [node.name],
      'authentication.kubernetes.io/node-uid': [node.uid],
    }),
    ...(tokenId !== undefined && { 'authentication.kubernetes.io/credential-id': [`JTI=${tokenId}`] }),
  };
  return {
    username: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, ALL_AUTHENTICATED],
    extra,
  };
}
