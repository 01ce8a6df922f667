import { planAddresses } from './address-plan.ts';
import { ipQuery } from './ip-command.ts';
import type { LinkRow, RouteRow } from './ip-command.ts';
import { parseNetwork } from './ipv4.ts';
import type { Ipv4Network } from './ipv4.ts';

export interface HostSurvey {
  bridgeExists: boolean;
  /** The /16 that the cluster's bridge has already. */
  ownCidr: string | undefined;
  /** Every network that the host reaches otherwise than by the cluster's bridge, the default route left out. */
  foreignNetworks: Ipv4Network[];
  /** The interfaces of the default routes, other clusters' bridges never among them. */
  uplinks: string[];
  /** The smallest of the uplinks, so that no Pod sends packets that would be cut on their way out. */
  mtu: number;
}

/** Reads addresses and routes of the host, as a cluster with the bridge `bridge` sees them. */
export async function surveyHost(bridge: string): Promise<HostSurvey> {
  const [links, routes] = await Promise.all([
    ipQuery<LinkRow>(['-4', 'address', 'show']),
    ipQuery<RouteRow>(['-4', 'route', 'show', 'table', 'all']),
  ]);
  const present = await ipQuery<LinkRow>(['link', 'show', 'type', 'bridge']);
  const uplinks = uplinksOf(routes);
  const ownIp = links.find(({ ifname }) => ifname === bridge)?.addr_info?.[0]?.local;
  const mtus = links.filter(({ ifname }) => uplinks.includes(ifname)).map(({ mtu }) => mtu ?? 1500);
  return {
    bridgeExists: present.some(({ ifname }) => ifname === bridge),
    ownCidr: ownIp === undefined ? undefined : planAddresses(`${ownIp}/16`).cidr,
    foreignNetworks: routes.filter(({ dev }) => dev !== bridge).flatMap(({ dst }) => networkOf(dst)),
    uplinks,
    mtu: Math.min(1500, ...mtus),
  };
}

function uplinksOf(routes: RouteRow[]): string[] {
  const devices = routes.filter(({ dst }) => dst === 'default').map(({ dev }) => dev ?? '');
  return [...new Set(devices)].filter((name) => name !== '' && !name.startsWith('pw-'));
}

/** The default route is everybody's, and what is no IPv4 network cannot collide with one. */
function networkOf(destination: string): Ipv4Network[] {
  if (destination === 'default') return [];
  try {
    return [parseNetwork(destination)];
  } catch {
    return [];
  }
}
