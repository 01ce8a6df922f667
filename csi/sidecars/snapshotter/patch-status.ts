import type { ApiObject, ResourceId } from '../../../client/objects.ts';
import { nameOf } from '../../snapshots/names.ts';
import { updateFailed, wordsOf } from '../../snapshots/snapshotting.ts';
import type { Snapshotter } from './snapshotter.ts';

/** Writes these parts of a content's status. Resolves with the content then; rejects with an Error in upstream's words. */
export const patchStatus = async <Content extends ApiObject>(
  { client }: Snapshotter,
  resource: ResourceId<Content>,
  { content, status }: { content: Content; status: object },
): Promise<Content> => {
  const name = nameOf(content);
  try {
    return await client
      .resource(resource)
      .patch({ name, subresource: 'status', type: 'merge', patch: { status } });
  } catch (error) {
    throw updateFailed(name, wordsOf(error), { cause: error });
  }
};
