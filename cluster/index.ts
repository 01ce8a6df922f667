import { down } from './down.ts';
import { up, type UpOptions, type UpResult } from './up.ts';

export type { UpOptions, UpResult } from './up.ts';
export { down } from './down.ts';

/** A running cluster; `await using` takes it down at the end of the scope. */
export interface Cluster extends UpResult, AsyncDisposable {
  /** Stops the cluster and removes everything it made. */
  down(): Promise<void>;
}

/**
 * Starts a cluster of real nodes on this machine (root is needed) and returns when all nodes are Ready:
 * `await using cluster = await startCluster({ nodes: 2 })`. Without a name it gets a fresh one.
 */
export async function startCluster(options: UpOptions = {}): Promise<Cluster> {
  const name = options.name ?? `t${process.pid.toString(36)}${Date.now().toString(36)}`;
  const result = await up({ ...options, name }).catch(async (error: unknown) => {
    await down(name);
    throw error;
  });
  const take = async (): Promise<void> => void (await down(name));
  return { ...result, down: take, [Symbol.asyncDispose]: take };
}
