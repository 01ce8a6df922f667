import type { CustomResourceDefinition } from '../../api/types.ts';
import { isAlreadyExists } from '../../client/errors.ts';
import { createInformer } from '../../client/informer.ts';
import type { Informer } from '../../client/informer.ts';
import type { ResourceId } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import { snapshotCrds } from './crds/index.ts';
import { nameOf } from './names.ts';

const customResourceDefinitions: ResourceId<CustomResourceDefinition> = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};

/**
 * Makes the custom resources of snapshots where they are missing, and resolves once all are served. Definitions that are there stay
 * as they are: an administrator may have installed external-snapshotter's own, which serve the same. Rejects with the signal's
 * reason when aborted, with StatusError when one is refused.
 */
export const installSnapshotCrds = async ({
  client,
  signal,
}: {
  client: Client;
  signal?: AbortSignal | undefined;
}): Promise<void> => {
  const informer = createInformer({ client, resource: customResourceDefinitions });
  const established = whenEstablished(informer, signal);
  try {
    informer.start();
    await informer.waitForSync(signal);
    const missing = snapshotCrds.filter((crd) => informer.lister.get({ name: nameOf(crd) }) === undefined);
    await Promise.all(missing.map((crd) => create(client, crd, signal)));
    await established;
  } finally {
    await informer.stop();
  }
};

const create = async (
  client: Client,
  object: CustomResourceDefinition,
  signal: AbortSignal | undefined,
): Promise<void> => {
  try {
    await client.resource(customResourceDefinitions).create({ object, signal });
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
  }
};

const whenEstablished = (
  informer: Informer<CustomResourceDefinition>,
  signal: AbortSignal | undefined,
): Promise<void> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // Whoever is aborted before has its own rejection.
  promise.catch(() => undefined);
  const check = () => {
    if (snapshotCrds.every((crd) => isServed(informer.lister.get({ name: nameOf(crd) })))) resolve();
  };
  informer.addHandler({ add: check, update: check });
  signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  return promise;
};

const isServed = (crd: CustomResourceDefinition | undefined): boolean =>
  crd?.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false;
