import { isConflict, isNotFound } from '../../client/errors.ts';
import type { ApiObject, ResourceId } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';

interface FinalizerOptions<T extends ApiObject> {
  client: Client;
  resource: ResourceId<T>;
  object: T;
  finalizer: string;
}

export const hasFinalizer = ({ metadata }: ApiObject, finalizer: string): boolean =>
  metadata?.finalizers?.includes(finalizer) ?? false;

/**
 * Adds a finalizer and nothing else: what others put in or took out in the meantime stays so. Answers the object as it is then.
 * Rejects with NotFound when the object is gone, with Conflict when another one has its name by now.
 */
export async function addFinalizer<T extends ApiObject>(options: FinalizerOptions<T>): Promise<T> {
  const { finalizer } = options;
  return changeFinalizers(options, (present) =>
    present.includes(finalizer) ? present : [...present, finalizer],
  );
}

/** Takes a finalizer away, as addFinalizer adds one; undefined when the object is gone (perhaps with it). */
export async function removeFinalizer<T extends ApiObject>(
  options: FinalizerOptions<T>,
): Promise<T | undefined> {
  const { finalizer } = options;
  try {
    return await changeFinalizers(options, (present) => present.filter((each) => each !== finalizer));
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Writes with the resourceVersion that was read; when someone wrote in between, on top of what that was. */
async function changeFinalizers<T extends ApiObject>(
  { client, resource, object }: FinalizerOptions<T>,
  change: (present: string[]) => string[],
): Promise<T> {
  const { name = '', namespace, uid } = object.metadata ?? {};
  let seen = object;
  for (let attempt = 1; ; attempt++) {
    const { finalizers = [], resourceVersion } = seen.metadata ?? {};
    const changed = change(finalizers);
    if (changed.length === finalizers.length) return seen;
    const metadata = { uid, resourceVersion, finalizers: changed.length === 0 ? null : changed };
    try {
      return await client.resource(resource).patch({ name, namespace, type: 'merge', patch: { metadata } });
    } catch (error) {
      if (!isConflict(error) || attempt === maxAttempts) throw error;
      seen = await client.resource(resource).get({ name, namespace });
      if (seen.metadata?.uid !== uid) throw error;
    }
  }
}

const maxAttempts = 5;
