import { existsSync, readFileSync, readdirSync, statfsSync, writeFileSync } from 'node:fs';
import {
  createNetworkNamespace,
  deleteNetworkNamespace,
  insideNetworkNamespace,
} from '../linux/namespaces.ts';
import { planNode } from './address-plan.ts';
import type { NodeAddresses } from './address-plan.ts';
import type { ClusterNetwork } from './cluster-network.ts';
import { ipBatch } from './ip-command.ts';
import { netnsDirectory, nodeNetnsName, nodeNetnsPath, nodeNumber, vethName } from './names.ts';
import { withNetworkLock } from './network-lock.ts';

export interface NodeNetwork extends NodeAddresses {
  node: string;
  /** The node's network namespace: its processes run in there. */
  netnsPath: string;
}

export interface NodeNetworkOptions {
  /** As createClusterNetwork returned it. */
  network: Pick<ClusterNetwork, 'cluster' | 'bridge' | 'cidr' | 'hostIp' | 'mtu'>;
  /** node-1, node-2, ... */
  node: string;
}

/**
 * Makes a node's network namespace, joined to the cluster's bridge by a veth, with routes to the Pods of every other node
 * and back, and from the host. Idempotent: what is there in whole stays untouched, so running Pods keep their network;
 * what was half made is made again.
 */
export function createNodeNetwork({ network, node }: NodeNetworkOptions): Promise<NodeNetwork> {
  return withNetworkLock(async () => {
    const { cluster, cidr } = network;
    const addresses = planNode(cidr, nodeNumber(node));
    const netnsPath = nodeNetnsPath({ cluster, node });
    ensureNamespace(netnsPath);
    if (!isConnected(netnsPath)) await connectNode(node, { network, addresses });
    insideNetworkNamespace(netnsPath, routeLikeANode);
    await ensureRoutes(network, { number: nodeNumber(node), addresses });
    return { node, netnsPath, ...addresses };
  });
}

/** Removes the namespaces of all nodes of a cluster. The nodes' names are matched whole: `a` does not own `a-b`'s. */
export function removeNodeNamespaces(cluster: string): void {
  for (const node of nodesOf(cluster)) deleteNetworkNamespace(nodeNetnsPath({ cluster, node }));
}

function nodesOf(cluster: string): string[] {
  if (!existsSync(netnsDirectory)) return [];
  const prefix = nodeNetnsName({ cluster, node: '' });
  const nodes = readdirSync(netnsDirectory).filter((name) => name.startsWith(prefix));
  return nodes.map((name) => name.slice(prefix.length)).filter((node) => /^node-[1-9]\d*$/.test(node));
}

const NSFS_MAGIC = 0x6e736673;

/** A plain file in its place was left by somebody who was killed between making the file and binding the namespace to it. */
function ensureNamespace(path: string): void {
  if (existsSync(path)) {
    if (statfsSync(path).type === NSFS_MAGIC) return;
    deleteNetworkNamespace(path);
  }
  createNetworkNamespace(path);
}

/** The default route is the last thing that connectNode makes, and it goes away with the veth and with the bridge's end. */
const isConnected = (netnsPath: string): boolean =>
  insideNetworkNamespace(netnsPath, () =>
    /^eth0\t00000000\t/m.test(readFileSync('/proc/thread-self/net/route', 'utf8')),
  );

interface Connection {
  network: NodeNetworkOptions['network'];
  addresses: NodeAddresses;
}

async function connectNode(node: string, { network, addresses }: Connection): Promise<void> {
  const { cluster, bridge, hostIp, mtu } = network;
  const netns = nodeNetnsName({ cluster, node });
  const veth = vethName(cluster, nodeNumber(node));
  await ipBatch([`link delete ${veth}`], { force: true });
  await ipBatch([
    `link add ${veth} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${netns}`,
    `link set ${veth} master ${bridge} up`,
  ]);
  await ipBatch(
    [
      'link set lo up',
      `address add ${addresses.ip}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${hostIp} dev eth0`,
    ],
    { netns },
  );
}

/** Runs inside the node's namespace: it is a router for its Pods, and sends nobody to a shorter way around itself. */
function routeLikeANode(): void {
  writeFileSync('/proc/sys/net/ipv4/ip_forward', '1');
  writeFileSync('/proc/sys/net/ipv4/conf/all/send_redirects', '0');
  writeFileSync('/proc/sys/net/ipv4/conf/default/send_redirects', '0');
}

async function ensureRoutes(
  { cluster, cidr, bridge }: NodeNetworkOptions['network'],
  { number, addresses }: { number: number; addresses: NodeAddresses },
): Promise<void> {
  const others = nodesOf(cluster).filter((node) => nodeNumber(node) !== number);
  const toThisNode = `route replace ${addresses.podCidr} via ${addresses.ip}`;
  const toOthers = others.map((node) => {
    const { podCidr, ip } = planNode(cidr, nodeNumber(node));
    return `route replace ${podCidr} via ${ip}`;
  });
  await ipBatch([`link set ${vethName(cluster, number)} master ${bridge} up`, toThisNode]);
  await ipBatch(toOthers, { netns: nodeNetnsName({ cluster, node: `node-${number}` }) });
  for (const node of others)
    await ipBatch([toThisNode], { netns: nodeNetnsName({ cluster, node }), force: true });
}
