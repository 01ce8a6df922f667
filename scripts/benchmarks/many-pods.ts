import { isRunning, sleepingPod } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import { median } from './figure.ts';
import type { Figure, MeasureOptions } from './figure.ts';

const podCount = 100;

/** From the first of 100 POSTs, sent at once, to the last of the pods Running. */
export const manyPods = async (cluster: BenchCluster, { runs }: MeasureOptions): Promise<Figure[]> => {
  const samples: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const names = Array.from({ length: podCount }, (_, index) => `many-${run}-${index}`);
    const startMs = performance.now();
    await Promise.all(names.map((name) => cluster.create(sleepingPod(name))));
    await Promise.all(names.map((name) => cluster.waitForPod(name, isRunning)));
    samples.push((performance.now() - startMs) / 1000);
    await cluster.removePods(names);
  }
  return [{ name: `${podCount} Pods at once, all Running`, unit: 's', ours: median(samples), samples }];
};
