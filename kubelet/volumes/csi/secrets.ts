import type { SecretReference } from '../../../api/types.ts';
import { secrets } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';

/** The values of a Secret for a driver, read anew each time. Rejects with Error in upstream's words, `what` naming the field. */
export const readSecret = async (
  client: Client,
  reference: SecretReference | undefined,
  what: string,
): Promise<Record<string, string>> => {
  if (reference === undefined) return {};
  const { name = '', namespace = '' } = reference;
  try {
    const { data = {} } = await client.resource(secrets).get({ name, namespace });
    const values = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]);
    return Object.fromEntries(values) as Record<string, string>;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `fetching ${what} ${namespace}/${name} failed: kubernetes.io/csi: failed to find the secret ${name} in the namespace ${namespace} with error: ${why}`,
      { cause: error },
    );
  }
};
