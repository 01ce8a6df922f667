import type { TestFn } from 'ava';
import type { ConfigMap, Container, CoreV1Event, Pod, PodSpec, Secret, Volume } from '../../../api/types.ts';
import { readBytes } from '../../../client/response-body.ts';
import { clientFromKubeconfig } from '../../../client/kubeconfig.ts';
import { configMaps, events, pods, secrets } from '../../../client/resources.ts';
import type { Client } from '../../../client/rest.ts';
import { startCluster } from '../../../cluster/index.ts';
import type { Cluster } from '../../../cluster/index.ts';
import { nodePaths } from '../../../cluster/paths.ts';
import { traces } from '../traces.ts';
import { patience, until } from '../../environment.ts';

/** One cluster of one node for all tests of a file; taken down at their end, when nothing of it may be left. */
export const useCluster = (test: TestFn, name: string): (() => Promise<TestCluster>) => {
  const started = Promise.withResolvers<TestCluster>();
  let running: { cluster: Cluster; client: Client } | undefined;
  test.before(async () => {
    // Another file's cluster may take the same port at the same moment; the second try sees it.
    const cluster = await startCluster({ name }).catch(() => startCluster({ name }));
    running = { cluster, client: clientFromKubeconfig(cluster.kubeconfig) };
    started.resolve(new TestCluster(name, running.client));
  });
  test.after.always(async (t) => {
    running?.client.close();
    await running?.cluster.down();
    // What was killed may be a zombie for a moment, until init has seen it.
    await until('no traces', () => traces(name).length === 0).catch(() => t.deepEqual(traces(name), []));
  });
  return () => started.promise;
};

const namespace = 'default';

export interface PodOptions {
  volumes?: Volume[];
  /** Mounts besides each volume at /<its name>, or in their place with `mounts` of the same volume. */
  container?: Partial<Container>;
  spec?: Partial<PodSpec>;
  labels?: Record<string, string>;
  /** What the container runs, by sh. */
  script?: string;
}

let made = 0;

export class TestCluster {
  readonly name: string;
  readonly client: Client;

  constructor(name: string, client: Client) {
    this.name = name;
    this.client = client;
  }

  get kubeletDir(): string {
    return nodePaths(this.name, 'node-1').kubelet;
  }

  /** The directory of a volume on the node, by plugin folder such as `configmap`. */
  volumePath(pod: Pod, plugin: string, volume: string): string {
    return `${this.kubeletDir}/pods/${pod.metadata?.uid}/volumes/kubernetes.io~${plugin}/${volume}`;
  }

  async configMap(name: string, data: Record<string, string>): Promise<void> {
    const object: ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data };
    await this.client.resource(configMaps).create({ object });
  }

  async changeConfigMap(name: string, data: Record<string, string>): Promise<void> {
    await this.client.resource(configMaps).patch({ name, namespace, type: 'merge', patch: { data } });
  }

  async secret(name: string, data: Record<string, string>): Promise<void> {
    const object: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      stringData: data,
    };
    await this.client.resource(secrets).create({ object });
  }

  async changeSecret(name: string, stringData: Record<string, string>): Promise<void> {
    await this.client.resource(secrets).patch({ name, namespace, type: 'merge', patch: { stringData } });
  }

  async createPod({
    volumes = [],
    container = {},
    spec = {},
    labels = {},
    script,
  }: PodOptions): Promise<Pod> {
    made += 1;
    const object: Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `p${made}`, namespace, labels },
      spec: {
        volumes,
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: 'busybox',
            imagePullPolicy: 'IfNotPresent',
            command: ['sh', '-c', script ?? 'sleep 1000000'],
            volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
            ...container,
          },
        ],
        ...spec,
      },
    };
    return this.client.resource(pods).create({ object });
  }

  /** Creates a Pod and waits until it runs. */
  async runningPod(options: PodOptions): Promise<Pod> {
    return this.until(await this.createPod(options), ({ status }) => status?.phase === 'Running');
  }

  /** Runs a script in a Pod of its own and answers what it has written; a failure is in the answer too. */
  async output(options: PodOptions & { script: string }): Promise<string> {
    const pod = await this.createPod({ ...options, spec: { restartPolicy: 'Never', ...options.spec } });
    await this.until(pod, ({ status }) => ['Succeeded', 'Failed'].includes(status?.phase ?? ''));
    return this.logs(pod);
  }

  async logs(pod: Pod, container = 'main'): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod.metadata?.name}/log?container=${container}`;
    return (await readBytes(await this.client.stream({ method: 'GET', path }))).toString();
  }

  /** Resolves with the Pod when `isTrue` of it. */
  async until(pod: Pod, isTrue: (pod: Pod) => boolean, timeoutMs = 60_000): Promise<Pod> {
    const name = pod.metadata?.name ?? '';
    let latest = pod;
    const signal = AbortSignal.timeout(timeoutMs * patience);
    while (!signal.aborted) {
      latest = await this.client.resource(pods).get({ name, namespace });
      if (isTrue(latest)) return latest;
      const { resourceVersion = '' } = latest.metadata ?? {};
      const fieldSelector = `metadata.name=${name}`;
      const watch = await this.client
        .resource(pods)
        .watch({ namespace, fieldSelector, resourceVersion, signal });
      for await (const { type, object } of watch) {
        if (type === 'BOOKMARK') continue;
        latest = object;
        if (isTrue(object)) return object;
      }
    }
    const seen = (await this.eventsOf(pod)).map(({ reason, message }) => `${reason}: ${message}`);
    const status = JSON.stringify(latest.status, undefined, 1);
    throw new Error(`not within ${timeoutMs} ms: ${isTrue.toString()}\n${status}\n${seen.join('\n')}`);
  }

  async eventsOf(pod: Pod): Promise<CoreV1Event[]> {
    const { items } = await this.client.resource(events).list({ namespace });
    return items.filter(({ involvedObject }) => involvedObject.uid === pod.metadata?.uid);
  }

  /**
   * Resolves with the first event of the Pod that has the reason, and the message when it is given: the first attempts may have failed
   * for another cause, because what is asked for was not known yet.
   */
  async eventOf(pod: Pod, reason: string, message?: string): Promise<CoreV1Event> {
    return until(`event ${reason} ${message}`, async () =>
      (await this.eventsOf(pod)).find(
        (event) => event.reason === reason && (message === undefined || event.message === message),
      ),
    );
  }

  async deletePod(pod: Pod): Promise<void> {
    const name = pod.metadata?.name ?? '';
    await this.client.resource(pods).delete({ name, namespace, gracePeriodSeconds: 0 });
  }
}
