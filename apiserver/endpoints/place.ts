import type { ObjectPlace } from '../storage/object-store.ts';
import type { ResourceRequest } from './context.ts';

/** The object that the path names. */
export const placeOfRequest = ({ kind, info }: Pick<ResourceRequest, 'kind' | 'info'>): ObjectPlace => ({
  namespace: kind.namespaced ? info.namespace : '',
  name: info.name,
});
