import type { ExecutionContext } from 'ava';
import type { Cluster } from '../../cluster/index.ts';
import { until } from '../environment.ts';
import { nftTables, traces } from './traces.ts';

/** Takes a test's cluster down, where it came up at all, and proves that nothing of it is left. */
export async function takeDown(
  t: Pick<ExecutionContext, 'deepEqual'>,
  cluster: Cluster | undefined,
): Promise<void> {
  if (cluster === undefined) return;
  await cluster.down();
  // What was killed may be a zombie for a moment, until init has seen it.
  await until(`nothing left of ${cluster.name}`, () => traces(cluster.name).length === 0).catch(() =>
    t.deepEqual(traces(cluster.name), []),
  );
  t.deepEqual(await nftTables(cluster.name), []);
}
