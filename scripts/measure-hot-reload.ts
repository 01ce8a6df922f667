import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { ConfigMap, Pod } from '../api/types.ts';
import { configMaps, pods } from '../client/resources.ts';
import type { Client } from '../client/rest.ts';

export interface HotReloadOptions {
  client: Client;
  /** An existing namespace, best one of its own. */
  namespace: string;
  /** Each node's kubelet directory, such as /var/lib/podwright/NAME/nodes/node-1/kubelet. */
  kubeletDirs: readonly string[];
  /** How many Pods mount the ConfigMap. */
  podCount: number;
  /** How often it is changed. */
  changes: number;
  image?: string;
}

export interface HotReloadFigures {
  /** Milliseconds from the acknowledged write to the new bytes in a Pod's file; one for each Pod and change. */
  samplesMs: number[];
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const name = 'hot-reload';

/**
 * Measures how soon a change of a ConfigMap is in the files of the Pods that mount it: changes it again and again, and
 * watches every Pod's folder by inotify. Makes the ConfigMap and the Pods, and deletes them afterwards.
 */
export const measureHotReload = async (options: HotReloadOptions): Promise<HotReloadFigures> => {
  const { client, namespace, podCount, changes } = options;
  await client.resource(configMaps).create({ object: configMapOf(namespace, 'v0') });
  const names = Array.from({ length: podCount }, (_, index) => `${name}-${index}`);
  try {
    await Promise.all(names.map((pod) => client.resource(pods).create({ object: podOf(pod, options) })));
    const paths = await Promise.all(names.map((pod) => volumeOf(pod, options)));
    const samplesMs: number[] = [];
    for (let version = 1; version <= changes; version += 1) {
      samplesMs.push(...(await changeOnce({ client, namespace, paths, text: `v${version}` })));
    }
    return figuresOf(samplesMs);
  } finally {
    const gone = names.map((pod) =>
      client.resource(pods).delete({ name: pod, namespace, gracePeriodSeconds: 0 }),
    );
    await Promise.allSettled(gone);
    await client.resource(configMaps).delete({ name, namespace });
  }
};

interface Change {
  client: Client;
  namespace: string;
  paths: string[];
  text: string;
}

/** The milliseconds of each Pod; a file that had the new bytes before the answer was read counts as 0. */
const changeOnce = async ({ client, namespace, paths, text }: Change): Promise<number[]> => {
  const seenAtMs = new Map<string, number>();
  const { promise: allSeen, resolve } = Promise.withResolvers<void>();
  using watches = new DisposableStack();
  const look = (path: string) => {
    if (seenAtMs.has(path) || readFileSync(join(path, 'value'), 'utf8') !== text) return;
    seenAtMs.set(path, performance.now());
    if (seenAtMs.size === paths.length) resolve();
  };
  for (const path of paths) {
    // Node's own watchers share one inotify instance, of which a user has only 128.
    const watcher = watch(path, () => look(path));
    watches.defer(() => watcher.close());
  }
  const { data } = configMapOf(namespace, text);
  await client.resource(configMaps).patch({ name, namespace, type: 'merge', patch: { data } });
  const acknowledgedAtMs = performance.now();
  await allSeen;
  return [...seenAtMs.values()].map((atMs) => Math.max(0, atMs - acknowledgedAtMs));
};

const figuresOf = (samplesMs: number[]): HotReloadFigures => {
  const sorted = samplesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { samplesMs, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
};

/** The Pod's volume on its node, as soon as it runs. */
const volumeOf = async (
  pod: string,
  { client, namespace, kubeletDirs }: HotReloadOptions,
): Promise<string> => {
  const events = await client.resource(pods).watch({
    namespace,
    fieldSelector: `metadata.name=${pod}`,
    resourceVersion: '0',
    signal: AbortSignal.timeout(120_000),
  });
  for await (const { type, object } of events) {
    if (type === 'BOOKMARK' || object.status?.phase !== 'Running') continue;
    const volume = `pods/${object.metadata?.uid}/volumes/kubernetes.io~configmap/config`;
    const found = kubeletDirs.map((dir) => join(dir, volume)).find((path) => isThere(path));
    if (found !== undefined) return found;
  }
  throw new Error(`pod ${pod} does not run after 120 s`);
};

const isThere = (path: string): boolean => {
  try {
    return readFileSync(join(path, 'value')).length > 0;
  } catch {
    return false; // the Pod is on another node
  }
};

const configMapOf = (namespace: string, value: string): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { value },
});

const podOf = (pod: string, { namespace, image = 'busybox' }: HotReloadOptions): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: pod, namespace },
  spec: {
    automountServiceAccountToken: false,
    terminationGracePeriodSeconds: 0,
    volumes: [{ name: 'config', configMap: { name } }],
    containers: [
      {
        name: 'main',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sleep', '1000000'],
        volumeMounts: [{ name: 'config', mountPath: '/config' }],
      },
    ],
  },
});
