import { chooseCidr, planAddresses } from './address-plan.ts';
import type { AddressPlan } from './address-plan.ts';
import { applyClusterTable, removeClusterTable } from './cluster-table.ts';
import { surveyHost } from './host-survey.ts';
import { ipBatch, ipQuery } from './ip-command.ts';
import type { LinkRow } from './ip-command.ts';
import { overlaps, parseNetwork } from './ipv4.ts';
import { bridgeMacAddress, bridgeName } from './names.ts';
import { withNetworkLock } from './network-lock.ts';
import { removeNodeNamespaces } from './node-network.ts';

export interface ClusterNetwork extends AddressPlan {
  cluster: string;
  /** The bridge on the host, with `hostIp`. */
  bridge: string;
  /** For every interface of the cluster. */
  mtu: number;
  /** What this host cannot do, one line each; the rest of the network works without it. */
  warnings: string[];
}

/**
 * Makes the cluster's bridge on the host and lets Pods out into the world, masqueraded by the nftables table
 * `podwright-<cluster>`. Idempotent: an existing network is completed and keeps its addresses.
 *
 * `cidr` (a /16) is what an earlier run of this cluster got; without it the first one that collides with no route
 * of the host is chosen, nor with what is `taken`. Throws when the given one collides with a route that is not this cluster's.
 */
export function createClusterNetwork({
  cluster,
  cidr,
  taken = [],
}: {
  cluster: string;
  cidr?: string | undefined;
  taken?: string[];
}): Promise<ClusterNetwork> {
  return withNetworkLock(async () => {
    const bridge = bridgeName(cluster);
    const host = await surveyHost(bridge);
    const foreign = [...host.foreignNetworks, ...taken.map(parseNetwork)];
    const plan = planAddresses(cidr ?? host.ownCidr ?? chooseCidr(foreign));
    const wanted = parseNetwork(plan.cidr);
    if (host.foreignNetworks.some((network) => overlaps(network, wanted))) {
      throw new Error(`the cluster's network ${plan.cidr} collides with a route of this host`);
    }
    if (host.ownCidr !== plan.cidr) await makeBridge(cluster, { plan, ...host });
    const warnings = await applyClusterTable({ cluster, bridge, cidr: plan.cidr, uplinks: host.uplinks });
    return { cluster, bridge, mtu: host.mtu, ...plan, warnings };
  });
}

/**
 * Removes everything that createClusterNetwork and createNodeNetwork made for this cluster, also what was half made, and
 * nothing else. What is already gone is no error. The cluster's processes should have been ended before.
 */
export function removeClusterNetwork({ cluster }: { cluster: string }): Promise<void> {
  return withNetworkLock(async () => {
    await removeClusterTable(cluster);
    removeNodeNamespaces(cluster);
    const bridge = bridgeName(cluster);
    const links = await ipQuery<LinkRow>(['link', 'show']);
    const own = links.map(({ ifname }) => ifname).filter((name) => isOwn(name, bridge));
    // Only a veth's deletion can fail here: its other end may have gone a moment ago, and it with it.
    await ipBatch(
      own.map((name) => `link delete ${name}`),
      { force: true },
    );
  });
}

const isOwn = (name: string, bridge: string): boolean => name === bridge || name.startsWith(`${bridge}-`);

interface BridgeOptions {
  plan: AddressPlan;
  mtu: number;
  bridgeExists: boolean;
}

/** One batch; a bridge that was left without its address or with another one is completed. */
async function makeBridge(cluster: string, { plan, mtu, bridgeExists }: BridgeOptions): Promise<void> {
  const bridge = bridgeName(cluster);
  const add = `link add ${bridge} address ${bridgeMacAddress(cluster)} type bridge forward_delay 0`;
  await ipBatch([
    bridgeExists ? `address flush dev ${bridge}` : add,
    `link set ${bridge} mtu ${mtu} up`,
    `address add ${plan.hostIp}/24 dev ${bridge}`,
  ]);
}
