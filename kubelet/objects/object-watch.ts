import { notFound } from '../../api/status.ts';
import type { ConfigMap, Secret } from '../../api/types.ts';
import { createInformer } from '../../client/informer.ts';
import type { Informer } from '../../client/informer.ts';
import type { ResourceId } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';

type Watched = ConfigMap | Secret;

/** The watch of one object. */
export interface ObjectWatch<T extends Watched> {
  /** The object as it is; rejects with a NotFound StatusError, or an Error when the server hasn't answered in time. */
  get(): Promise<T>;
  close(): Promise<void>;
}

export interface ObjectWatchOptions<T extends Watched> {
  client: Client;
  resource: ResourceId<T>;
  /** As upstream's errors name it: `configmap`, `secret`. */
  noun: string;
  namespace: string;
  name: string;
  /** The object is there, is gone or has changed: also told for what is there at the beginning. */
  onChange: () => void;
  /** Told each failed list or watch; it is tried again. */
  onError?: ((error: unknown) => void) | undefined;
}

/** Upstream gives a read this long to wait for the first list (watch_based_manager.go). */
const syncTimeoutMs = 1000;

/** Watches one ConfigMap or Secret until closed, or until it is read and found immutable. */
export const watchObject = <T extends Watched>(options: ObjectWatchOptions<T>): ObjectWatch<T> => {
  const { client, resource, noun, namespace, name, onChange, onError } = options;
  const fieldSelector = `metadata.name=${name}`;
  const informer = createInformer<T>({ client, resource, namespace, fieldSelector, onError });
  informer.addHandler({ add: onChange, update: onChange, delete: onChange });
  informer.start();
  let immutable: T | undefined;

  return {
    async get() {
      if (immutable !== undefined) return immutable;
      if (!informer.hasSynced()) await waitForFirstList(informer, noun);
      const object = informer.lister.get({ name, namespace });
      if (object === undefined) throw notFound({ group: '', resource: noun }, name);
      if (object.immutable === true) {
        immutable = object;
        await informer.stop();
      }
      return object;
    },
    close: () => informer.stop(),
  };
};

const waitForFirstList = async (
  informer: Pick<Informer<Watched>, 'waitForSync'>,
  noun: string,
): Promise<void> => {
  try {
    await informer.waitForSync(AbortSignal.timeout(syncTimeoutMs));
  } catch (error) {
    const message = `failed to sync ${noun} cache: timed out waiting for the condition`;
    throw new Error(message, { cause: error });
  }
};
