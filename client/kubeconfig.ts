import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import { createClient } from './rest.ts';
import type { Client, ClientOptions } from './rest.ts';

interface Named {
  name: string;
}
interface Kubeconfig {
  'current-context'?: string;
  contexts?: (Named & { context: { cluster: string; user: string } })[];
  clusters?: (Named & { cluster: Record<string, string | boolean | undefined> })[];
  users?: (Named & { user: Record<string, string | undefined> })[];
}

/** A client for the present context of a kubeconfig file; throws Error naming what the file lacks. */
export const clientFromKubeconfig = (
  path: string,
  options: { context?: string } & Partial<ClientOptions> = {},
): Client => createClient({ ...optionsFromKubeconfig(path, options), ...options });

/**
 * Server and identity from a kubeconfig file. Data fields win over file fields; relative files are looked for
 * beside the kubeconfig, as kubectl does. A token file is read anew for each request, because it is rotated.
 */
export const optionsFromKubeconfig = (
  path: string,
  { context: contextName }: { context?: string | undefined } = {},
): ClientOptions => {
  const config = parse(readFileSync(path, 'utf8')) as Kubeconfig;
  const name = contextName ?? config['current-context'] ?? '';
  const context = find(config.contexts, { path, what: 'context', name }).context;
  const { cluster } = find(config.clusters, { path, what: 'cluster', name: context.cluster });
  const { user } = find(config.users, { path, what: 'user', name: context.user });
  const pem = (fields: Record<string, string | boolean | undefined>, field: string) =>
    readPem({ fields, field, folder: dirname(path) });
  if (typeof cluster['server'] !== 'string') throw new Error(`${path}: cluster ${name} has no server`);
  return {
    server: cluster['server'],
    ca: pem(cluster, 'certificate-authority'),
    insecureSkipTlsVerify: cluster['insecure-skip-tls-verify'] === true,
    tlsServerName: cluster['tls-server-name'] as string | undefined,
    cert: pem(user, 'client-certificate'),
    key: pem(user, 'client-key'),
    token: tokenOf(user, dirname(path)),
  };
};

const find = <T extends Named>(
  entries: T[] | undefined,
  { path, what, name }: { path: string; what: string; name: string },
): T => {
  const found = entries?.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`${path}: no ${what} is named ${JSON.stringify(name)}`);
  return found;
};

const readPem = ({
  fields,
  field,
  folder,
}: {
  fields: Record<string, string | boolean | undefined>;
  field: string;
  folder: string;
}): Buffer | undefined => {
  const data = fields[`${field}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64');
  const file = fields[field];
  return typeof file === 'string' ? readFileSync(resolve(folder, file)) : undefined;
};

const tokenOf = (user: Record<string, string | undefined>, folder: string) => {
  const file = user['tokenFile'];
  return file === undefined ? user['token'] : () => readFileSync(resolve(folder, file), 'utf8').trim();
};
