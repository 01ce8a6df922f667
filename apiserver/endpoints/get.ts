import { notFoundError } from '../http/errors.ts';
import { placeOfRequest } from './place.ts';
import { present } from './represent.ts';
import type { Endpoint } from './context.ts';
import { waitForRevision } from './resource-version.ts';

/** GET of one object, no older than the asked resourceVersion. Throws 404. */
export const getObject: Endpoint = async (request) => {
  const { server, kind, info } = request;
  const store = server.stores.of(kind);
  await waitForRevision(server.feed, info.query.get('resourceVersion'));
  const entry = store.cache.get(store.keyOf(placeOfRequest(request)));
  if (entry === undefined) throw notFoundError(kind, info.name);
  return { status: 200, object: present(kind, entry.object) };
};
