import type { Endpoint, ResourceRequest } from '../endpoints/context.ts';
import { createObject } from '../endpoints/create.ts';
import { deleteCollection } from '../endpoints/delete-collection.ts';
import { deleteObject } from '../endpoints/delete.ts';
import { getObject } from '../endpoints/get.ts';
import { patchObject } from '../endpoints/patch.ts';
import { updateObject } from '../endpoints/update.ts';
import { reviewEndpoints } from '../endpoints/reviews/index.ts';
import { scaleCustomResource } from '../endpoints/subresources/scale.ts';
import { subresourceEndpoints } from '../endpoints/subresources/index.ts';
import type { Verb } from '../registry/kind.ts';
import { methodNotAllowed, methodNotSupported } from './errors.ts';

const ENDPOINTS: Record<Exclude<Verb, 'list' | 'watch'>, Endpoint> = {
  create: createObject,
  delete: deleteObject,
  deletecollection: deleteCollection,
  get: getObject,
  patch: patchObject,
  update: updateObject,
};

/** The endpoint for a request's verb, resource and subresource. Throws 405 when the kind doesn't serve the verb. */
export function endpointFor({ kind, subresource, info }: ResourceRequest): Endpoint {
  const verb = info.verb as Verb;
  const served: string[] = subresource?.verbs ?? kind.verbs;
  // No verb stands for OPTIONS; what is proxied answers it all the same (upstream: pod/rest proxyMethods).
  const isProxied = info.method === 'OPTIONS' && subresource?.name === 'proxy';
  if (!served.includes(verb) && !isProxied)
    throw info.verb === '' ? methodNotAllowed() : methodNotSupported(kind, verb);
  const special =
    subresource === undefined
      ? reviewEndpoints[kind.kind]
      : subresource.name === 'scale' && kind.custom !== undefined
        ? scaleCustomResource
        : subresourceEndpoints[`${kind.plural}/${subresource.name}`];
  if (special !== undefined) return special;
  if ((verb === 'update' || verb === 'patch') && info.name === '') throw methodNotAllowed();
  if (verb === 'list' || verb === 'watch') throw methodNotAllowed();
  return ENDPOINTS[verb];
}
