import { formatAddress, formatNetwork, overlaps, parseNetwork } from './ipv4.ts';
import type { Ipv4Network } from './ipv4.ts';

/** Every address of a cluster follows from its one /16 and from the nodes' numbers; nothing is handed out or recorded. */
export interface AddressPlan {
  /** All of the cluster: `10.244.0.0/16`. */
  cidr: string;
  /** The nodes' own network, the first /24: `10.244.0.0/24`. */
  nodeSubnet: string;
  /** The host's address on the cluster's bridge, the nodes' default gateway: `10.244.0.1`. */
  hostIp: string;
}

export interface NodeAddresses {
  /** The node's address in the nodes' network: node 1 has `10.244.0.2`. */
  ip: string;
  /** Where the node's Pods live: `10.244.1.0/24` for node 1 (upstream's default mask for nodes, /24). */
  podCidr: string;
  /** The address of cni0, the Pods' default gateway: `10.244.1.1`. */
  podGateway: string;
}

/** A /24 for the nodes and one for each node's Pods: .0 is the network's, .1 the host's, .255 the broadcast address. */
export const highestNodeNumber = 253;

/** The plan for a cluster in `cidr`, which must be a /16. */
export function planAddresses(cidr: string): AddressPlan {
  const network = parseNetwork(cidr);
  if (network.prefixLength !== 16) throw new Error(`a cluster takes a /16, not ${cidr}`);
  return {
    cidr: formatNetwork(network),
    nodeSubnet: formatNetwork({ address: network.address, prefixLength: 24 }),
    hostIp: formatAddress(network.address + 1),
  };
}

/** The addresses of node `number` (1 and up). Throws RangeError past the highest number. */
export function planNode(cidr: string, number: number): NodeAddresses {
  if (!Number.isInteger(number) || number < 1 || number > highestNodeNumber) {
    throw new RangeError(`a node's number is 1 to ${highestNodeNumber}, not ${number}`);
  }
  const { address } = parseNetwork(cidr);
  const pods = address + number * 256;
  return {
    ip: formatAddress(address + 1 + number),
    podCidr: formatNetwork({ address: pods, prefixLength: 24 }),
    podGateway: formatAddress(pods + 1),
  };
}

/** The first /16 that no network in `taken` touches: 10.244.0.0/16 (the usual Pod CIDR), then 10.243 down to 10.128. */
export function chooseCidr(taken: Ipv4Network[]): string {
  for (let second = 244; second >= 128; second -= 1) {
    const cidr = `10.${second}.0.0/16`;
    const candidate = parseNetwork(cidr);
    if (!taken.some((network) => overlaps(network, candidate))) return cidr;
  }
  throw new Error(
    'no free /16 between 10.128.0.0 and 10.244.255.255: the routes of this host cover them all',
  );
}
