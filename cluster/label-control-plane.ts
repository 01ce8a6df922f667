import { clientFromKubeconfig } from '../client/kubeconfig.ts';
import { nodes } from '../client/resources.ts';
import type { ClusterFile } from './cluster-file.ts';
import { clusterPaths } from './paths.ts';

/** Label and taint key of the nodes that the control plane runs on. */
export const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';

/**
 * Labels the first node as the control plane's. The administrator does it, as with kubeadm: a kubelet may not give itself a
 * role (admission plugin NodeRestriction).
 */
export async function labelControlPlane({ name, nodes: [first] }: ClusterFile): Promise<void> {
  if (first === undefined) return;
  const client = clientFromKubeconfig(clusterPaths(name).kubeconfig);
  try {
    const patch = { metadata: { labels: { [CONTROL_PLANE]: '' } } };
    await client.resource(nodes).patch({ name: first.name, type: 'merge', patch });
  } finally {
    client.close();
  }
}
