import { isNotFound } from '../../client/errors.ts';
import type { ApiObject, ResourceId } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import type { Lister } from '../../client/store.ts';

/** What a get resolves with; undefined when the server says NotFound. */
export const orMissing = async <T>(get: Promise<T>): Promise<T | undefined> => {
  try {
    return await get;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
};

/**
 * The object as the cache has it, when it is there and `isEnough`, else as the server has it. Caches of several resources don't
 * fill in step: who makes a claim and then a snapshot of it should not be told that there is no such claim.
 */
export const cachedOrPresent = async <T extends ApiObject>(
  { client, lister, resource }: { client: Client; lister: Lister<T>; resource: ResourceId<T> },
  name: { name: string; namespace?: string },
  isEnough: (object: T) => boolean = () => true,
): Promise<T | undefined> => {
  const known = lister.get(name);
  if (known !== undefined && isEnough(known)) return known;
  return orMissing(client.resource(resource).get(name));
};
