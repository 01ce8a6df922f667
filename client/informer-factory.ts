import { createInformer } from './informer.ts';
import type { Informer, InformerOptions } from './informer.ts';
import type { ApiObject, ResourceId } from './objects.ts';
import type { Client } from './rest.ts';
import type { IndexFunction } from './store.ts';

export interface InformerFactory {
  readonly client: Client;
  /**
   * The one informer of this resource and selection; indexers add up, and only the first
   * caller's transform counts.
   * Once the factory is started, a new informer starts at once.
   */
  informer<T extends ApiObject>(
    resource: ResourceId<T>,
    options?: Selection & { indexers?: Record<string, IndexFunction<T>>; transform?: (object: T) => T },
  ): Informer<T>;
  /** Ends the informers of a resource that is no more. */
  remove(resource: ResourceId): Promise<void>;
  start(): void;
  /** Resolves when all informers asked for so far have synced; rejects with the signal's reason. */
  waitForSync(signal?: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

interface Selection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
}

/** Informers shared by all the controllers of a process: one watch for each resource and selection. */
export const createInformerFactory = ({
  client,
  ...shared
}: { client: Client } & Pick<InformerOptions<ApiObject>, 'clock' | 'onError'>): InformerFactory => {
  const informers = new Map<string, Informer<ApiObject>>();
  let started = false;

  return {
    client,
    informer<T extends ApiObject>(
      resource: ResourceId<T>,
      options: Selection & Pick<InformerOptions<T>, 'indexers' | 'transform'> = {},
    ) {
      const { namespace = '', labelSelector = '', fieldSelector = '' } = options;
      const { group, version, resource: name } = resource;
      const key = JSON.stringify([group, version, name, namespace, labelSelector, fieldSelector]);
      const existing = informers.get(key);
      if (existing !== undefined) {
        // The key names the resource, and the resource names the type.
        const known = existing as unknown as Informer<T>;
        known.addIndexers(options.indexers ?? {});
        return known;
      }
      const informer = createInformer<T>({ ...shared, ...options, client, resource });
      informers.set(key, informer as unknown as Informer<ApiObject>);
      if (started) informer.start();
      return informer;
    },
    async remove({ group, version, resource }) {
      const prefix = JSON.stringify([group, version, resource]).slice(0, -1);
      for (const [key, informer] of informers) {
        if (!key.startsWith(`${prefix},`)) continue;
        informers.delete(key);
        await informer.stop();
      }
    },
    start() {
      started = true;
      for (const informer of informers.values()) informer.start();
    },
    async waitForSync(signal) {
      await Promise.all([...informers.values()].map((informer) => informer.waitForSync(signal)));
    },
    async stop() {
      await Promise.all([...informers.values()].map((informer) => informer.stop()));
    },
  };
};
