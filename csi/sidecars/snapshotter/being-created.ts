import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import { isNotFound } from '../../../client/errors.ts';
import { annotationOf, nameOf } from '../../snapshots/names.ts';
import { updateFailed, wordsOf } from '../../snapshots/snapshotting.ts';
import type { Snapshotter } from './snapshotter.ts';

/**
 * An annotation stands on a content from before the driver is called until it has said yes or no. A content with it is not let
 * go: the driver may be making a snapshot that nobody else knows of.
 */
export const markBeingCreated = <T extends ApiObject>(
  world: Snapshotter,
  resource: ResourceId<T>,
  { object, annotation }: { object: T; annotation: string },
): Promise<T> => setMark(world, resource, { object, annotation, value: 'yes' });

export const unmarkBeingCreated = <T extends ApiObject>(
  world: Snapshotter,
  resource: ResourceId<T>,
  { object, annotation }: { object: T; annotation: string },
): Promise<T> => setMark(world, resource, { object, annotation, value: null });

const setMark = async <T extends ApiObject>(
  { client }: Snapshotter,
  resource: ResourceId<T>,
  { object, annotation, value }: { object: T; annotation: string; value: 'yes' | null },
): Promise<T> => {
  if ((annotationOf(object, annotation) === undefined) === (value === null)) return object;
  const patch = { metadata: { annotations: { [annotation]: value } } };
  try {
    return await client.resource(resource).patch({ name: nameOf(object), type: 'merge', patch });
  } catch (error) {
    // An object that is gone has no mark.
    if (value === null && isNotFound(error)) return object;
    throw updateFailed(nameOf(object), wordsOf(error), { cause: error });
  }
};
