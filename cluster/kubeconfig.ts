import { lchownSync } from 'node:fs';
import { stringify } from 'yaml';
import { writeFileDurably } from '../linux/files.ts';
import type { KeyPair } from './certificates.ts';

/** What a kubeconfig says: which server, by whom it is signed, and who the user is. */
export interface KubeconfigOptions {
  cluster: string;
  server: string;
  caCert: string;
  user: string;
  credentials: KeyPair;
}

/**
 * Writes a kubeconfig that only its owner can read: root, or the user who became root by sudo (sudo(8), SUDO_UID) and who is to use it
 * with a kubectl of his own.
 */
export async function writeKubeconfig(path: string, options: KubeconfigOptions): Promise<void> {
  await writeFileDurably(path, kubeconfigText(options), { mode: 0o600 });
  const [uid, gid] = [process.env['SUDO_UID'], process.env['SUDO_GID']].map(Number);
  if (Number.isInteger(uid) && Number.isInteger(gid)) lchownSync(path, uid ?? 0, gid ?? 0);
}

/** Returns the text of a kubeconfig with one context and everything inlined, so that the file can be moved. */
function kubeconfigText({ cluster, server, caCert, user, credentials }: KubeconfigOptions): string {
  const context = `podwright-${cluster}`;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: context, cluster: { server, 'certificate-authority-data': base64(caCert) } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate-data': base64(credentials.cert),
          'client-key-data': base64(credentials.key),
        },
      },
    ],
    contexts: [{ name: context, context: { cluster: context, user } }],
    'current-context': context,
  });
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
