import { isRunning, sleepingPod } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import { median } from './figure.ts';
import type { Figure, MeasureOptions } from './figure.ts';
import { podmanTimes } from './peers.ts';

/** From the POST of a pod to the watch event that shows it Running; the image is there. */
export const podStart = async (cluster: BenchCluster, { runs, peers }: MeasureOptions): Promise<Figure[]> => {
  const samples: number[] = [];
  for (let run = 0; run < runs + 2; run += 1) {
    const name = `start-${run}`;
    const startMs = performance.now();
    await cluster.create(sleepingPod(name));
    await cluster.waitForPod(name, isRunning);
    if (run >= 2) samples.push(performance.now() - startMs);
    await cluster.removePods([name]);
  }
  const figure: Figure = {
    name: 'Pod create to Running',
    unit: 'ms',
    ours: median(samples),
    goal: '4× podman kube play',
    samples,
  };
  return [
    peers
      ? { ...figure, peer: { name: 'podman kube play', value: median(await podmanTimes(runs)) } }
      : figure,
  ];
};
