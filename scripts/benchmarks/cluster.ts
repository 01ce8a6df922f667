import type { Pod } from '../../api/types.ts';
import { isAlreadyExists } from '../../client/errors.ts';
import { clientFromKubeconfig } from '../../client/kubeconfig.ts';
import { pods } from '../../client/resources.ts';
import type { ApiObject, ResourceId } from '../../client/objects.ts';
import type { Client } from '../../client/rest.ts';
import { serviceAccounts } from '../../client/resources.ts';
import { startCluster } from '../../cluster/index.ts';
import type { UpOptions } from '../../cluster/index.ts';

export const namespace = 'default';
export const image = 'docker.io/library/busybox:latest';

/** A cluster of one node with the words that benchmarks use. */
export interface BenchCluster extends AsyncDisposable {
  name: string;
  node: string;
  client: Client;
  create(pod: Pod): Promise<Pod>;
  /** Resolves with the pod once `condition` holds for what a watch shows of it. */
  waitForPod(name: string, condition: (pod: Pod) => boolean): Promise<Pod>;
  /** Resolves once `done` holds for what a watch shows of an object of the namespace; undefined is one that is not there. */
  waitFor<T extends ApiObject>(
    resource: ResourceId<T>,
    name: string,
    done: (object: T | undefined) => boolean,
  ): Promise<T | undefined>;
  /** Resolves when these pods are gone. */
  removePods(names: readonly string[]): Promise<void>;
}

/** Starts a cluster under a name of its own; its disposal takes it down. */
export const startBenchCluster = async (options: UpOptions = {}): Promise<BenchCluster> => {
  const cluster = await startCluster({ name: `bench-${process.pid}`, nodes: 1, ...options });
  const client = clientFromKubeconfig(cluster.kubeconfig);
  const resource = client.resource(pods);
  await ensureServiceAccount(client);

  const waitFor: BenchCluster['waitFor'] = async (id, name, done) => {
    const watched = client.resource(id);
    const fieldSelector = `metadata.name=${name}`;
    const list = await watched.list({ namespace, fieldSelector });
    let object = list.items[0];
    if (done(object)) return object;
    const { resourceVersion } = list.metadata;
    const abort = new AbortController();
    const events = await watched.watch({ namespace, fieldSelector, resourceVersion, signal: abort.signal });
    for await (const event of events) {
      if (event.type === 'BOOKMARK') continue;
      object = event.type === 'DELETED' ? undefined : event.object;
      if (done(object)) break;
    }
    abort.abort();
    return object;
  };

  return {
    name: cluster.name,
    node: cluster.nodes[0] ?? 'node-1',
    client,
    create: (pod) => resource.create({ object: pod }),
    async waitForPod(name, condition) {
      const pod = await waitFor(pods, name, (seen) => seen !== undefined && condition(seen));
      if (pod === undefined) throw new Error(`pod ${name} is gone`);
      return pod;
    },
    waitFor,
    async removePods(names) {
      await Promise.all(
        names.map(async (name) => {
          // Not at once: that would leave the node's clearing up for the next run to be measured together with.
          await resource.delete({ name, namespace, gracePeriodSeconds: 1 }).catch(() => undefined);
          await waitFor(pods, name, (pod) => pod === undefined);
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await cluster.down();
    },
  };
};

/** Pods need it, and its controller may be a moment later than the nodes. */
const ensureServiceAccount = async (client: Client): Promise<void> => {
  const object = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } };
  await client
    .resource(serviceAccounts)
    .create({ object })
    .catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error;
    });
};

/** A pod that sleeps; `spec` is laid over. */
export const sleepingPod = (name: string, spec: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sleep', '100000'] }],
    ...spec,
  },
});

export const isRunning = ({ status }: Pod): boolean => status?.phase === 'Running';
