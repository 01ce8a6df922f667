import type { PeerCertificate, TLSSocket } from 'node:tls';
import { ALL_AUTHENTICATED } from './user.ts';
import type { UserInfo } from './user.ts';

/**
 * The user of a verified client certificate: common name is the name, organizations are the groups.
 * Undefined when the client showed none; `invalid` when it is not signed by the cluster's authority or not for clients.
 */
export function certificateUser(socket: TLSSocket): UserInfo | 'invalid' | undefined {
  const known = users.get(socket);
  if (known !== undefined) return known.user;
  const user = readUser(socket);
  users.set(socket, { user });
  return user;
}

/** The certificate of a connection never changes, and reading it is slow. */
const users = new WeakMap<TLSSocket, { user: UserInfo | 'invalid' | undefined }>();

function readUser(socket: TLSSocket): UserInfo | 'invalid' | undefined {
  const certificate = socket.getPeerCertificate();
  if (Object.keys(certificate).length === 0) return undefined;
  if (!socket.authorized || !isForClients(certificate)) return 'invalid';
  const { CN, O } = certificate.subject as { CN?: string; O?: string | string[] };
  if (!CN) return 'invalid';
  const organizations = O === undefined ? [] : Array.isArray(O) ? O : [O];
  return {
    username: CN,
    uid: '',
    groups: [...organizations, ALL_AUTHENTICATED],
    extra: credentialId(certificate),
  };
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

const isForClients = ({ ext_key_usage: usages }: PeerCertificate): boolean =>
  usages?.includes(CLIENT_AUTH) ?? false;

const credentialId = ({ fingerprint256 }: PeerCertificate) => ({
  'authentication.kubernetes.io/credential-id': [
    `X509SHA256=${fingerprint256.replaceAll(':', '').toLowerCase()}`,
  ],
});
