import { down, startCluster } from '../../cluster/index.ts';
import { median } from './figure.ts';
import type { Figure, MeasureOptions } from './figure.ts';

const goals: Record<number, string> = { 1: '2 s', 3: '4 s' };

/** From nothing (no certificates, no image store) to all nodes Ready. */
export const upTime = async ({ runs }: MeasureOptions): Promise<Figure[]> => {
  const figures: Figure[] = [];
  for (const nodes of [1, 3]) {
    const samples: number[] = [];
    for (let run = 0; run < runs; run += 1) {
      const name = `bench-up-${process.pid}-${run}`;
      const startMs = performance.now();
      await startCluster({ name, nodes });
      samples.push((performance.now() - startMs) / 1000);
      await down(name);
    }
    figures.push({
      name: `up to Ready, ${nodes} node${nodes === 1 ? '' : 's'}`,
      unit: 's',
      ours: median(samples),
      goal: goals[nodes] ?? '',
      samples,
    });
  }
  return figures;
};
