import { quote } from '../../api/go-format.ts';
import { parseLooseIp } from '../../api/ip-address.ts';

/** What to think of how an IP address is written (upstream: apimachinery pkg/util/validation GetWarningsForIP). */
export function ipWarnings(address: string | undefined, path: string): string[] {
  const ip = parseLooseIp(address ?? '');
  if (ip === undefined || ip.preferred === address) return [];
  return [
    ip.isMapped || ip.hasLeadingZeros
      ? `${path}: non-standard IP address ${quote(address ?? '')} is invalid: use ${quote(ip.preferred)}`
      : `${path}: IPv6 address ${quote(address ?? '')} should be in RFC 5952 canonical format (${quote(ip.preferred)})`,
  ];
}
