import { EventEmitter } from 'node:events';
import type { AuthenticationV1TokenRequest, ConfigMap, Secret } from '../../../api/types.ts';
import type { ApiObject, ResourceId, WatchEvent } from '../../../client/objects.ts';
import type { ListOptions, ResourceClient, WatchOptions } from '../../../client/resource-client.ts';
import type { Client } from '../../../client/rest.ts';

/** An API server that has only ConfigMaps, Secrets and tokens, in memory: lists, watches, and counts who asks. */
export interface FakeApi {
  client: Client;
  put(resource: 'configmaps' | 'secrets', object: ConfigMap | Secret): void;
  remove(resource: 'configmaps' | 'secrets', namespace: string, name: string): void;
  /** Watches that are open now, by resource. */
  openWatches: Map<string, number>;
  tokenRequests: AuthenticationV1TokenRequest[];
  /** How a token is answered. */
  issueToken: (request: AuthenticationV1TokenRequest) => AuthenticationV1TokenRequest;
}

export const createFakeApi = (): FakeApi => {
  const objects = new Map<string, ApiObject>();
  const changes = new EventEmitter().setMaxListeners(0);
  let revision = 1;

  const matches = (key: string, resource: string, { namespace, fieldSelector = '' }: ListOptions) => {
    const name = fieldSelector.replace('metadata.name=', '');
    return key === `${resource}/${namespace}/${name}`;
  };

  const api: FakeApi = {
    openWatches: new Map(),
    tokenRequests: [],
    issueToken: () => ({
      spec: { audiences: [], expirationSeconds: 3600 },
      status: {
        token: `token-${api.tokenRequests.length}`,
        expirationTimestamp: new Date(Date.now() + 3600_000).toISOString(),
      },
    }),
    put(resource, object) {
      revision += 1;
      const { namespace, name } = object.metadata ?? {};
      const key = `${resource}/${namespace}/${name}`;
      const type = objects.has(key) ? 'MODIFIED' : 'ADDED';
      const uid = objects.get(key)?.metadata?.uid ?? `uid-${revision}`;
      const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(revision) } };
      objects.set(key, stored);
      changes.emit('change', key, { type, object: stored });
    },
    remove(resource, namespace, name) {
      const key = `${resource}/${namespace}/${name}`;
      const object = objects.get(key);
      if (object === undefined) return;
      objects.delete(key);
      revision += 1;
      changes.emit('change', key, { type: 'DELETED', object });
    },
    client: {
      server: 'fake',
      resource: <T extends ApiObject>({ resource }: ResourceId<T>) =>
        ({
          list: async (options: ListOptions = {}) => ({
            apiVersion: 'v1',
            kind: 'List',
            metadata: { resourceVersion: String(revision) },
            items: [...objects]
              .filter(([key]) => matches(key, resource, options))
              .map(([, object]) => object),
          }),
          watch: async (options: WatchOptions = {}) => watch(resource, options),
          subresource: () => ({
            create: async ({ object }: { object: AuthenticationV1TokenRequest }) => {
              api.tokenRequests.push(object);
              return api.issueToken(object);
            },
          }),
        }) as unknown as ResourceClient<T>,
      request: () => Promise.reject(new Error('not in the fake')),
      stream: () => Promise.reject(new Error('not in the fake')),
      close: () => undefined,
    },
  };

  const count = (resource: string, by: number) =>
    api.openWatches.set(resource, (api.openWatches.get(resource) ?? 0) + by);

  async function* watch(resource: string, options: WatchOptions): AsyncGenerator<WatchEvent<ApiObject>> {
    const queue: WatchEvent<ApiObject>[] = [];
    let wake = () => undefined as void;
    const listener = (key: string, event: WatchEvent<ApiObject>) => {
      if (!matches(key, resource, options)) return;
      queue.push(event);
      wake();
    };
    changes.on('change', listener);
    options.signal?.addEventListener('abort', () => wake());
    count(resource, 1);
    try {
      while (options.signal?.aborted !== true) {
        const event = queue.shift();
        if (event !== undefined) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      changes.off('change', listener);
      count(resource, -1);
    }
  }

  return api;
};
