import { BlockList, isIP } from 'node:net';
import { badRequest } from '../../http/errors.ts';

/** What a path says of the place to be proxied to; scheme and port are '' when it says nothing. */
export interface ProxyTarget {
  scheme: string;
  name: string;
  port: string;
}

const SCHEMES = ['', 'http', 'https'];

/**
 * Reads NAME, NAME:PORT or SCHEME:NAME:PORT (upstream: apimachinery util/net SplitSchemeNamePort). Throws 400 in upstream's words;
 * also for a port that is no number, which could otherwise write itself into the URL.
 */
export function parseTarget(id: string, what: 'node' | 'pod'): ProxyTarget {
  const parts = id.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  const isPort = port === '' || (/^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) < 65_536);
  if (parts.length > 3 || name === '' || !SCHEMES.includes(scheme) || !isPort)
    throw badRequest(`invalid ${what} request ${JSON.stringify(id)}`);
  return { scheme, name, port };
}

/** Addresses that are the server's own, whatever a Pod's status says (upstream: net.IP IsGlobalUnicast). */
const ownHosts = new BlockList();
ownHosts.addSubnet('127.0.0.0', 8);
ownHosts.addSubnet('169.254.0.0', 16);
ownHosts.addSubnet('224.0.0.0', 4);
ownHosts.addAddress('0.0.0.0');
ownHosts.addAddress('255.255.255.255');
ownHosts.addAddress('::', 'ipv6');
ownHosts.addAddress('::1', 'ipv6');
ownHosts.addSubnet('fe80::', 10, 'ipv6');
ownHosts.addSubnet('ff00::', 8, 'ipv6');

/** The origin of a URL, such as `http://[fd00::1]:8080`, without the scheme's own port. Throws 400 for an address of the server's own. */
export function originOf({ scheme, port }: ProxyTarget, address: string): string {
  const family = isIP(address);
  if (family === 0 || ownHosts.check(address, family === 6 ? 'ipv6' : 'ipv4'))
    throw badRequest('address not allowed');
  const host = family === 6 ? `[${address}]` : address;
  return new URL(`${scheme || 'http'}://${host}${port === '' ? '' : `:${port}`}`).origin;
}
