import { stringify } from 'yaml';
import type { KeyPair } from './certificates.ts';

/** What a kubeconfig says: which server, by whom it is signed, and who the user is. */
export interface KubeconfigOptions {
  cluster: string;
  server: string;
  caCert: string;
  user: string;
  credentials: KeyPair;
}

/** Returns the text of a kubeconfig with one context and everything inlined, so that the file can be moved. */
export function kubeconfigText({ cluster, server, caCert, user, credentials }: KubeconfigOptions): string {
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
