import { createClusterNetwork } from '../network/cluster-network.ts';
import { writeCniConfiguration } from '../network/cni-configuration.ts';
import { createNodeNetwork } from '../network/node-network.ts';
import type { ClusterFile, NodeRecord } from './cluster-file.ts';
import { nodePaths } from './paths.ts';

export interface NetworkOptions {
  cluster: string;
  /** What the cluster has had before. */
  cidr: string | undefined;
  /** What other clusters have. */
  taken: string[];
  nodeCount: number;
}

type Network = Pick<ClusterFile, 'cidr' | 'bridgeIp'> & {
  nodes: Omit<NodeRecord, 'zone'>[];
  warnings: string[];
};

/**
 * Makes the bridge, a network namespace per node and the nodes' CNI configuration, or completes what is there. A
 * cluster that has been up before keeps its addresses.
 */
export async function createNetwork({ cluster, cidr, taken, nodeCount }: NetworkOptions): Promise<Network> {
  const network = await createClusterNetwork({ cluster, cidr, taken });
  const names = Array.from({ length: nodeCount }, (_, index) => `node-${index + 1}`);
  const nodes = [];
  for (const name of names) {
    const { ip, podCidr } = await createNodeNetwork({ network, node: name });
    const paths = nodePaths(cluster, name);
    await writeCniConfiguration({
      confDir: paths.cniConf,
      ipamDir: `${paths.cniConf}-ipam`,
      podCidr,
      mtu: network.mtu,
    });
    nodes.push({ name, ip, podCidr });
  }
  return { cidr: network.cidr, bridgeIp: network.hostIp, nodes, warnings: network.warnings };
}
