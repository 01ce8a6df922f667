import { isIPv4, isIPv6 } from 'node:net';

/** An IP address as upstream has read it in fields that are older than strict reading (k8s.io/utils/net ParseIPSloppy). */
export interface LooseIp {
  /** In the form to be preferred: without leading zeros, RFC 5952, and IPv4 for an IPv4-mapped address. */
  preferred: string;
  hasLeadingZeros: boolean;
  isMapped: boolean;
}

/** Reads an address whose IPv4 octets may have leading zeros, which count for nothing; undefined for no address. */
export function parseLooseIp(text: string): LooseIp | undefined {
  const bare = withoutZeros(text);
  const hasLeadingZeros = bare !== text;
  if (isIPv4(bare)) return { preferred: bare, hasLeadingZeros, isMapped: false };
  // No field takes the zone that Node.js would.
  if (!isIPv6(bare) || bare.includes('%')) return undefined;
  // The host of a URL is written as RFC 5952 says.
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = mappedIpv4(canonical);
  return { preferred: mapped ?? canonical, hasLeadingZeros, isMapped: mapped !== undefined };
}

const withoutZeros = (text: string): string =>
  text.replace(/(\d+\.){3}\d+$/, (quad) => quad.replaceAll(/\b0+(?=\d)/g, ''));

/** "1.2.3.4" for "::ffff:102:304". */
function mappedIpv4(canonical: string): string | undefined {
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}
