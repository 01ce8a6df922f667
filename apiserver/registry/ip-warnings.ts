import { isIPv6 } from 'node:net';
import { quote } from '../../api/go-format.ts';

/** What to think of how an IP address is written (upstream: apimachinery pkg/util/validation GetWarningsForIP). */
export function ipWarnings(address: string | undefined, path: string): string[] {
  if (address === undefined || !isIPv6(address) || address.includes('%')) return [];
  const canonical = canonicalIpv6(address);
  const mapped = mappedIpv4(canonical);
  if (mapped !== undefined)
    return [
      `${path}: non-standard IP address ${quote(address)} will be considered invalid in a future Kubernetes release: use ${quote(mapped)}`,
    ];
  return canonical === address
    ? []
    : [
        `${path}: IPv6 address ${quote(address)} should be in RFC 5952 canonical format (${quote(canonical)})`,
      ];
}

/** The host of a URL is written as RFC 5952 says. */
const canonicalIpv6 = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1);

/** "1.2.3.4" for "::ffff:102:304". */
function mappedIpv4(canonical: string): string | undefined {
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical) ?? [];
  if (high === undefined || low === undefined) return undefined;
  return [high, low]
    .map((group) => Number.parseInt(group, 16))
    .flatMap((group) => [group >> 8, group & 255])
    .join('.');
}
