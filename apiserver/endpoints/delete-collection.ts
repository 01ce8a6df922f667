import { StatusError } from '../../api/status.ts';
import type { ApiObject } from '../registry/kind.ts';
import { apiVersionOf, listKindOf } from '../registry/kind.ts';
import { placeOf } from '../storage/object-store.ts';
import type { Endpoint } from './context.ts';
import { deleteInRegistry, readDeleteOptions } from './delete.ts';
import { readPage } from './list.ts';

/** DELETE of a collection: each object that a GET would list, as by a DELETE of its own. Answers the list of them. */
export const deleteCollection: Endpoint = async (request) => {
  const { kind } = request;
  const options = await readDeleteOptions(request);
  const { entries, metadata } = await readPage(request);
  const items: ApiObject[] = [];
  for (const { object } of entries) {
    try {
      items.push((await deleteInRegistry({ request, place: placeOf(object), options })).object);
    } catch (error) {
      // Someone else deleted it between the listing and now: that is what was asked for.
      if (!(error instanceof StatusError && error.status.code === 404)) throw error;
    }
  }
  const type = { kind: listKindOf(kind), apiVersion: apiVersionOf(kind) };
  return { status: 200, object: { ...type, metadata, items } };
};
