import { existsSync } from 'node:fs';
import { clusterPaths } from '../cluster/paths.ts';
import { runInForeground } from '../linux/foreground.ts';
import { findKubectl } from './find-kubectl.ts';

/** Runs kubectl with the kubeconfig of the cluster and this terminal; returns its exit code. */
export async function runKubectl(cluster: string, args: string[]): Promise<number> {
  const { kubeconfig } = clusterPaths(cluster);
  if (!existsSync(kubeconfig)) {
    throw new Error(
      `kubectl: there is no cluster '${cluster}'; start it with 'podwright up --name ${cluster}'`,
    );
  }
  const kubectl = await findKubectl();
  return await runInForeground(kubectl, args, { env: { KUBECONFIG: kubeconfig } });
}
