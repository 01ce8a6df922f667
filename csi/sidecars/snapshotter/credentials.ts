import { quote } from '../../../api/go-format.ts';
import type { ApiObject } from '../../../client/objects.ts';
import { annotationOf, isUnset, nameOf } from '../../snapshots/names.ts';
import { credentialsOf } from '../../snapshots/secrets.ts';
import type { Snapshotter } from './snapshotter.ts';

interface SecretAnnotations {
  /** `snapshot content` or `group snapshot content`, for messages. */
  what: string;
  name: string;
  namespace: string;
}

/**
 * The secret for creating and deleting, which the snapshot controller has written on the content; empty when there is none.
 * Rejects with an Error in upstream's words when it can't be had.
 */
export const annotatedCredentials = async (
  { client }: Snapshotter,
  content: ApiObject,
  annotations: SecretAnnotations,
): Promise<Record<string, string>> => {
  const name = annotationOf(content, annotations.name);
  const namespace = annotationOf(content, annotations.namespace);
  if (name === undefined || namespace === undefined) return {};
  const of = `${annotations.what} ${quote(nameOf(content))}`;
  if (isUnset(name) || isUnset(namespace))
    throw new Error(`cannot retrieve secrets for ${of}, err: secret name or namespace not specified`);
  return credentialsOf(client, { name, namespace }).catch((error: unknown) => {
    throw new Error(`cannot get credentials for ${of}`, { cause: error });
  });
};
