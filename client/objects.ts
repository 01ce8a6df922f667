import type { KubernetesObject } from '../api/types.ts';

/** What every API object has; the generated kinds of api/ fit it. */
export type ApiObject = KubernetesObject;

/** The answer to a list. */
export interface ApiList<T> {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** One event of a watch; a bookmark's object carries only metadata, mostly the resourceVersion. */
export type WatchEvent<T> =
  { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T } | { type: 'BOOKMARK'; object: ApiObject };

/** Names a resource of the API; the type parameter says what its objects look like. */
export interface ResourceId<T extends ApiObject = ApiObject> {
  group: string;
  version: string;
  /** Plural and lower case, as in the path. */
  resource: string;
  /** Never set: carries the type. */
  readonly objectType?: T;
}

/** `namespace/name`, or the bare name of an object without namespace (client-go's MetaNamespaceKey). */
export const keyOf = (object: ApiObject): string => {
  const { name = '', namespace } = object.metadata ?? {};
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
};

/** The two parts of keyOf's answer. */
export const splitKey = (key: string): { namespace: string | undefined; name: string } => {
  const slash = key.indexOf('/');
  return slash < 0
    ? { namespace: undefined, name: key }
    : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
};
