import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where iproute2 keeps named network namespaces (ip-netns(8)). */
export const netnsDirectory = '/run/netns';

/** The network namespace of a node: `/run/netns/podwright-<cluster>-<node>`. */
export const nodeNetnsPath = ({ cluster, node }: { cluster: string; node: string }): string =>
  join(netnsDirectory, nodeNetnsName({ cluster, node }));

export const nodeNetnsName = ({ cluster, node }: { cluster: string; node: string }): string =>
  `podwright-${cluster}-${node}`;

/** The cluster's bridge on the host. Interface names have 15 bytes at most, so the cluster's name is hashed. */
export const bridgeName = (cluster: string): string => `pw-${clusterHash(cluster)}`;

/** The host's end of a node's veth, enslaved to the bridge. */
export const vethName = (cluster: string, number: number): string => `${bridgeName(cluster)}-${number}`;

/** The nftables table (family ip) of a cluster on the host. */
export const tableName = (cluster: string): string => `podwright-${cluster}`;

/** A locally administered unicast address, so that the bridge's does not change when ports come and go. */
export const bridgeMacAddress = (cluster: string): string =>
  ['02', ...(`${clusterHash(cluster)}00`.match(/../g) ?? [])].join(':');

/** The n of `node-<n>`. Throws for any other name: addresses and interface names follow from the number. */
export function nodeNumber(node: string): number {
  const number = /^node-([1-9]\d*)$/.exec(node)?.[1];
  if (number === undefined) throw new Error(`a node is named node-1, node-2, ..., not ${node}`);
  return Number(number);
}

const clusterHash = (cluster: string): string =>
  createHash('sha256').update(cluster).digest('hex').slice(0, 8);
