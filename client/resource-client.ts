import type { TransportRequest, TransportResponse } from './transport.ts';
import { pathOf, queryOf } from './paths.ts';
import type { ApiList, ApiObject, ResourceId, WatchEvent } from './objects.ts';
import { readWatch } from './watch.ts';

/** One object; `namespace` only for namespaced resources. */
export interface ObjectName {
  name: string;
  namespace?: string | undefined;
}

export interface WriteOptions {
  /** Check and default, but don't store (`dryRun=All`). */
  dryRun?: boolean;
  fieldManager?: string;
  fieldValidation?: 'Ignore' | 'Warn' | 'Strict';
  signal?: AbortSignal | undefined;
}

export interface ListOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  limit?: number | undefined;
  continue?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'Exact' | 'NotOlderThan' | undefined;
  signal?: AbortSignal | undefined;
}

export interface WatchOptions {
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  resourceVersion?: string | undefined;
  resourceVersionMatch?: 'NotOlderThan' | undefined;
  /** Begin with synthetic ADDED events and a bookmark instead of a list (KEP-3157). */
  sendInitialEvents?: boolean | undefined;
  allowWatchBookmarks?: boolean | undefined;
  timeoutSeconds?: number | undefined;
  /** Ends the watch; the iteration then ends without an error. */
  signal?: AbortSignal | undefined;
}

export interface DeleteOptions {
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  preconditions?: { uid?: string | undefined; resourceVersion?: string | undefined };
  dryRun?: boolean;
  signal?: AbortSignal | undefined;
}

/** Of which objects of a collection, and of how many of them at most. */
export type CollectionOptions = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'limit'>;

/** RFC 6902, RFC 7386, Kubernetes' own strategic merge, and server-side apply. */
export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

const patchContentTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export interface PatchOptions extends ObjectName, WriteOptions {
  type: PatchType;
  patch: unknown;
  /** Such as `status`. */
  subresource?: string;
  force?: boolean;
}

/**
 * The verbs of one resource. All reject with StatusError (api/status.ts) for an answer of the server, with
 * ConnectionError when there was none, and with the signal's reason when aborted.
 */
export interface ResourceClient<T extends ApiObject> {
  get(options: ObjectName & { resourceVersion?: string; signal?: AbortSignal | undefined }): Promise<T>;
  list(options?: ListOptions): Promise<ApiList<T>>;
  /** Into the object's own metadata.namespace. */
  create(options: { object: T } & WriteOptions): Promise<T>;
  /** With the object's resourceVersion, so that a lost update is a Conflict. */
  update(options: { object: T } & WriteOptions): Promise<T>;
  updateStatus(options: { object: T } & WriteOptions): Promise<T>;
  patch(options: PatchOptions): Promise<T>;
  /** Resolves with the object while finalizers or a grace period hold it, else with a Status. */
  delete(options: ObjectName & DeleteOptions): Promise<ApiObject>;
  deleteCollection(options: CollectionOptions & DeleteOptions): Promise<ApiObject>;
  /** Resolves once the server has accepted; the iteration ends with the connection or the server's timeout. */
  watch(options?: WatchOptions): Promise<AsyncIterableIterator<WatchEvent<T>>>;
  /** Such as `binding`, `eviction`, `token`. */
  subresource<S extends ApiObject>(name: string): SubresourceClient<S>;
}

export interface SubresourceClient<S extends ApiObject> {
  get(options: ObjectName & { signal?: AbortSignal | undefined }): Promise<S>;
  create(options: ObjectName & { object: S } & WriteOptions): Promise<S>;
  update(options: ObjectName & { object: S } & WriteOptions): Promise<S>;
}

interface Wire {
  id: ResourceId;
  request: <R>(request: TransportRequest) => Promise<R>;
  stream: (request: TransportRequest) => Promise<TransportResponse>;
}

/** The verbs of `id`, over the given wire. */
export const createResourceClient = <T extends ApiObject>({
  id,
  request,
  stream,
}: Wire): ResourceClient<T> => {
  const write = (method: string, subresource: string | undefined, options: { object: T } & WriteOptions) => {
    const { namespace, name } = options.object.metadata ?? {};
    const path = pathOf({ id, namespace, name: method === 'POST' ? undefined : name, subresource });
    return request<T>(jsonRequest({ method, path, body: options.object, options }));
  };

  return {
    get: ({ name, namespace, resourceVersion, signal }) =>
      request<T>({
        method: 'GET',
        path: pathOf({ id, namespace, name }) + queryOf({ resourceVersion }),
        signal,
      }),
    async list({ namespace, signal, ...query } = {}) {
      const path = pathOf({ id, namespace }) + queryOf(query);
      return withItemTypes(await request<ApiList<T>>({ method: 'GET', path, signal }));
    },
    create: (options) => write('POST', undefined, options),
    update: (options) => write('PUT', undefined, options),
    updateStatus: (options) => write('PUT', 'status', options),
    patch({
      name,
      namespace,
      type,
      patch,
      subresource,
      dryRun,
      fieldManager,
      fieldValidation,
      force,
      signal,
    }) {
      const query = queryOf({ ...dryRunQuery(dryRun), fieldManager, fieldValidation, force });
      return request<T>({
        method: 'PATCH',
        path: pathOf({ id, namespace, name, subresource }) + query,
        headers: { 'content-type': patchContentTypes[type] },
        body: JSON.stringify(patch),
        signal,
      });
    },
    delete({ name, namespace, signal, ...options }) {
      const path = pathOf({ id, namespace, name });
      return request<ApiObject>({ ...deleteRequest(path, options), signal });
    },
    deleteCollection({ namespace, labelSelector, fieldSelector, limit, signal, ...options }) {
      const path = pathOf({ id, namespace }) + queryOf({ labelSelector, fieldSelector, limit });
      return request<ApiObject>({ ...deleteRequest(path, options), signal });
    },
    async watch({ namespace, signal, ...query } = {}) {
      const path = pathOf({ id, namespace }) + queryOf({ watch: true, ...query });
      const response = await stream({ method: 'GET', path, signal });
      return readWatch<T>({ response, signal });
    },
    subresource: (name) => createSubresourceClient({ id, request, stream }, name),
  };
};

const createSubresourceClient = <S extends ApiObject>(
  { id, request }: Wire,
  subresource: string,
): SubresourceClient<S> => {
  const write = (method: string, options: ObjectName & { object: S } & WriteOptions) => {
    const path = pathOf({ id, namespace: options.namespace, name: options.name, subresource });
    return request<S>(jsonRequest({ method, path, body: options.object, options }));
  };
  return {
    get: ({ name, namespace, signal }) =>
      request<S>({ method: 'GET', path: pathOf({ id, namespace, name, subresource }), signal }),
    create: (options) => write('POST', options),
    update: (options) => write('PUT', options),
  };
};

const jsonRequest = ({
  method,
  path,
  body,
  options: { dryRun, fieldManager, fieldValidation, signal },
}: {
  method: string;
  path: string;
  body: unknown;
  options: WriteOptions;
}): TransportRequest => ({
  method,
  path: path + queryOf({ ...dryRunQuery(dryRun), fieldManager, fieldValidation }),
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
  signal,
});

const deleteRequest = (
  path: string,
  { gracePeriodSeconds, propagationPolicy, preconditions, dryRun }: DeleteOptions,
): TransportRequest => ({
  method: 'DELETE',
  path,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    gracePeriodSeconds,
    propagationPolicy,
    preconditions,
    ...dryRunBody(dryRun),
  }),
});

const dryRunQuery = (dryRun = false) => (dryRun ? { dryRun: 'All' } : {});
const dryRunBody = (dryRun = false) => (dryRun ? { dryRun: ['All'] } : {});

/** The items of a list go without apiVersion and kind on the wire; whoever gets one alone wants to know. */
const withItemTypes = <T extends ApiObject>(list: ApiList<T>): ApiList<T> => {
  const kind = list.kind.replace(/List$/, '');
  for (const item of list.items) {
    item.apiVersion ??= list.apiVersion;
    item.kind ??= kind;
  }
  return list;
};
