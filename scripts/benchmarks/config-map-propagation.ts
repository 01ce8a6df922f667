import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { nodePaths } from '../../cluster/paths.ts';
import { configMaps } from '../../client/resources.ts';
import { image, isRunning, namespace, sleepingPod } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import { percentile } from './figure.ts';
import type { Figure, MeasureOptions } from './figure.ts';

const podCount = 50;
const configMapName = 'bench';

/** From the acknowledged write of a ConfigMap to the new bytes in each of 50 pods' mounted files, told by inotify. */
export const configMapPropagation = async (
  cluster: BenchCluster,
  { runs }: MeasureOptions,
): Promise<Figure[]> => {
  const resource = cluster.client.resource(configMaps);
  const metadata = { name: configMapName, namespace };
  await resource.create({ object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value: '0' } } });
  const names = Array.from({ length: podCount }, (_, index) => `reload-${index}`);
  await Promise.all(names.map((name) => cluster.create(podMounting(name))));
  const pods = await Promise.all(names.map((name) => cluster.waitForPod(name, isRunning)));
  const folders = pods.map(({ metadata: { uid = '' } = {} }) => volumeFolder(cluster, uid));

  const samples: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    const value = String(run);
    const seen = folders.map((folder) => timeOfChange(folder, value));
    await resource.patch({ ...metadata, type: 'merge', patch: { data: { value } } });
    const acknowledgedMs = performance.now();
    for (const changedMs of await Promise.all(seen)) samples.push(Math.max(0, changedMs - acknowledgedMs));
  }
  await cluster.removePods(names);
  await resource.delete(metadata);
  return [
    {
      name: `ConfigMap to ${podCount} Pods' files, p50`,
      unit: 'ms',
      ours: percentile(samples, 0.5),
      samples,
    },
    {
      name: `ConfigMap to ${podCount} Pods' files, p99`,
      unit: 'ms',
      ours: percentile(samples, 0.99),
      goal: 'under 50 ms',
      samples: [],
    },
  ];
};

const podMounting = (name: string) =>
  sleepingPod(name, {
    containers: [
      {
        name: 'main',
        image,
        imagePullPolicy: 'IfNotPresent',
        command: ['sleep', '100000'],
        volumeMounts: [{ name: 'config', mountPath: '/config' }],
      },
    ],
    volumes: [{ name: 'config', configMap: { name: configMapName } }],
  });

const volumeFolder = ({ name, node }: BenchCluster, uid: string): string =>
  join(nodePaths(name, node).kubelet, 'pods', uid, 'volumes/kubernetes.io~configmap/config');

/** When the file shows the value; the swap of `..data` is a rename in the watched folder. */
const timeOfChange = (folder: string, value: string): Promise<number> =>
  new Promise((resolve) => {
    const watcher = watch(folder, () => {
      const nowMs = performance.now();
      if (readFileSync(join(folder, 'value'), 'utf8') !== value) return;
      watcher.close();
      resolve(nowMs);
    });
  });
