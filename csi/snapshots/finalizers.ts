import type { ApiObject, ResourceId } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import { nameOf } from './names.ts';

interface Change {
  add?: readonly string[];
  remove?: readonly string[];
}

/** The object's finalizers after the change; undefined when nothing would change. */
export const changedFinalizers = (
  { metadata }: ApiObject,
  { add = [], remove = [] }: Change,
): string[] | undefined => {
  const before = metadata?.finalizers ?? [];
  const kept = before.filter((finalizer) => !remove.includes(finalizer));
  const added = add.filter((finalizer) => !kept.includes(finalizer));
  return kept.length === before.length && added.length === 0 ? undefined : [...kept, ...added];
};

/**
 * Changes the finalizers of the object as it is known here; a newer one on the server is a Conflict, so that nobody's finalizer is
 * lost. Resolves with the object then, the same one when there is nothing to do.
 */
export const changeFinalizers = async <T extends ApiObject>(
  client: Client,
  resource: ResourceId<T>,
  { object, ...change }: { object: T } & Change,
): Promise<T> => {
  const finalizers = changedFinalizers(object, change);
  if (finalizers === undefined) return object;
  return client.resource(resource).patch({
    name: nameOf(object),
    namespace: object.metadata?.namespace,
    type: 'merge',
    patch: { metadata: { resourceVersion: object.metadata?.resourceVersion, finalizers } },
  });
};
