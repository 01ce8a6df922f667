import { randomBytes } from 'node:crypto';
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
 * `await using cluster = await startCluster({ nodes: 2 })`. Without a name it gets a fresh one. When it fails, what it has begun is
 * taken down again; a cluster that was there before is left as it is.
 */
export async function startCluster(options: UpOptions = {}): Promise<Cluster> {
  const name = options.name ?? freshName();
  const result = await up({ ...options, name, undo: true });
  const take = async (): Promise<void> => void (await down(name));
  return { ...result, down: take, [Symbol.asyncDispose]: take };
}

/** By chance, since several may be started in the same millisecond, and by processes of the same number in two containers. */
const freshName = (): string => `t${process.pid.toString(36)}${randomBytes(5).toString('hex')}`;
