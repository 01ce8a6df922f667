import { StatusError } from '../../api/status.ts';
import type { ApiObject } from '../registry/kind.ts';
import { apiVersionOf, listKindOf } from '../registry/kind.ts';
import { placeOf } from '../storage/object-store.ts';
import type { Endpoint } from './context.ts';
import { deleteInRegistry, readDeleteOptions } from './delete.ts';
import { readSelection } from './selection.ts';

/** DELETE of a collection: every selected object as by a DELETE of its own. Answers the list of them. */
export const deleteCollection: Endpoint = async (request) => {
  const { kind, server, info } = request;
  const options = await readDeleteOptions(request);
  const store = server.stores.of(kind);
  const selection = readSelection(info, kind, store);
  await server.feed.fresh();
  const selected = [...store.cache.list(selection.prefix)].filter(({ object }) => selection.matches(object));
  const items: ApiObject[] = [];
  for (const { object } of selected) {
    try {
      items.push((await deleteInRegistry({ request, place: placeOf(object), options })).object);
    } catch (error) {
      // Someone else deleted it between the listing and now: that is what was asked for.
      if (!(error instanceof StatusError && error.status.code === 404)) throw error;
    }
  }
  const metadata = { resourceVersion: String(server.feed.revision) };
  return {
    status: 200,
    object: { kind: listKindOf(kind), apiVersion: apiVersionOf(kind), metadata, items },
  };
};
