import { Buffer } from 'node:buffer';
import { quote } from '../../api/go-format.ts';
import { isDns1123Label, isDns1123Subdomain } from '../../api/names.ts';
import { secrets } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';

export interface SecretRef {
  name: string;
  namespace: string;
}

/** A pair of class parameters that name a secret, by templates. */
export interface SecretParameters {
  /** As error messages call it. */
  label: string;
  nameKey: string;
  namespaceKey: string;
}

const parameters = (label: string, prefix: string): SecretParameters => ({
  label,
  nameKey: `csi.storage.k8s.io/${prefix}-name`,
  namespaceKey: `csi.storage.k8s.io/${prefix}-namespace`,
});

/** The secrets a class of snapshots can name, by the call that gets them (external-snapshotter pkg/utils/util.go). */
export const snapshotterSecret = parameters('Snapshotter', 'snapshotter-secret');
export const listSecret = parameters('SnapshotterList', 'snapshotter-list-secret');
export const groupSnapshotterSecret = parameters('GroupSnapshotter', 'group-snapshotter-secret');
export const groupGetSecret = parameters('GroupSnapshotterGet', 'group-snapshotter-get-secret');

export interface SecretRefOptions {
  secret: SecretParameters;
  parameters: Record<string, string> | undefined;
  /** What the namespace's template may use, such as `volumesnapshotcontent.name`. */
  namespaceTokens: Record<string, string>;
  /** What the name's template may use besides. */
  nameTokens: Record<string, string>;
}

/**
 * The secret that a class's parameters name; undefined when they name none. Throws an Error in upstream's words for half a
 * name, an unknown `${token}` and a result that is no name.
 */
export const secretRefOf = ({
  secret,
  parameters = {},
  namespaceTokens,
  nameTokens,
}: SecretRefOptions): SecretRef | undefined => {
  const templates = templatesOf(secret, parameters);
  if (templates === undefined) return undefined;
  const namespace = resolve(templates.namespace, namespaceTokens);
  checkName(templates.namespace, namespace, { errors: isDns1123Label(namespace), what: 'namespace' });
  const name = resolve(templates.name, { ...namespaceTokens, ...nameTokens });
  checkName(templates.name, name, { errors: isDns1123Subdomain(name), what: 'secret' });
  return { name, namespace };
};

const templatesOf = ({ label, nameKey, namespaceKey }: SecretParameters, given: Record<string, string>) => {
  const { [nameKey]: name, [namespaceKey]: namespace } = given;
  const fail = (why: string) => new Error(`failed to get name and namespace template from params: ${why}`);
  if (name === undefined && namespace === undefined) return undefined;
  if (name === undefined || namespace === undefined)
    throw fail(`either name and namespace for ${label} secrets specified, Both must be specified`);
  if (name === '' || namespace === '')
    throw fail(`${label} secrets specified in parameters but value of either namespace or name is empty`);
  return { name, namespace };
};

/** Expands `${token}` and `$token` as Go's os.Expand does. */
const resolve = (template: string, tokens: Record<string, string>): string => {
  const missing = new Set<string>();
  const resolved = template.replaceAll(/\$(?:\{([^}]*)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const token = braced ?? bare ?? '';
    const value = tokens[token];
    if (value === undefined) missing.add(token);
    return value ?? '';
  });
  if (missing.size === 0) return resolved;
  const list = [...missing].toSorted().map(quote).join(' ');
  throw new Error(`error resolving value ${quote(template)}: invalid tokens: [${list}]`);
};

const checkName = (
  template: string,
  resolved: string,
  { errors, what }: { errors: string[]; what: 'namespace' | 'secret' },
) => {
  if (errors.length === 0) return;
  const from =
    template === resolved ? quote(template) : `${quote(template)} resolved to ${quote(resolved)} which`;
  throw new Error(`${from} is not a valid ${what} name`);
};

/** What is in the secret, for a driver; nothing when there is none to get. Rejects with an Error that names the secret. */
export const credentialsOf = async (
  client: Client,
  ref: SecretRef | undefined,
): Promise<Record<string, string>> => {
  if (ref === undefined) return {};
  const { data = {} } = await client
    .resource(secrets)
    .get(ref)
    .catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`error getting secret ${ref.name} in namespace ${ref.namespace}: ${why}`, {
        cause: error,
      });
    });
  const decoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
  return Object.fromEntries(decoded) as Record<string, string>;
};
