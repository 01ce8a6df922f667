import { BlockList, isIP, isIPv4, SocketAddress } from 'node:net';
import type { CelLibrary } from './library.ts';
import { evaluationFailure } from './library.ts';

const ZONE_OR_MAPPED = /%|^::ffff:\d+\./i;

/** An IP address in canonical form. */
class CelIp {
  readonly address: string;
  readonly family: 4 | 6;

  constructor(text: string) {
    if (isIP(text) === 0)
      throw evaluationFailure(
        `IP Address ${JSON.stringify(text)} parse error during conversion from string: ParseAddr(${JSON.stringify(text)}): unable to parse IP`,
      );
    if (ZONE_OR_MAPPED.test(text))
      throw evaluationFailure(
        `IP Address ${JSON.stringify(text)} parse error during conversion from string: IPv4-mapped IPv6 addresses and zones are not allowed`,
      );
    this.family = isIPv4(text) ? 4 : 6;
    this.address = canonical(text);
  }

  valueOf(): string {
    return this.address;
  }
}

const familyName = (family: 4 | 6): 'ipv4' | 'ipv6' => (family === 4 ? 'ipv4' : 'ipv6');

const canonical = (text: string): string =>
  new SocketAddress({ address: text, family: isIPv4(text) ? 'ipv4' : 'ipv6' }).address;

/** An address and the length of its network's prefix. */
class CelCidr {
  readonly ip: CelIp;
  readonly prefixLength: number;

  constructor(text: string) {
    const [address = '', bits = ''] = text.split('/');
    const wrong = () =>
      evaluationFailure(
        `network address parse error during conversion from string: netip.ParsePrefix(${JSON.stringify(text)}): unable to parse`,
      );
    if (!/^\d{1,3}$/.test(bits) || isIP(address) === 0) throw wrong();
    this.ip = new CelIp(address);
    this.prefixLength = Number(bits);
    if (this.prefixLength > (this.ip.family === 4 ? 32 : 128)) throw wrong();
  }

  valueOf(): string {
    return `${this.ip.address}/${this.prefixLength}`;
  }
}

function isIn(ip: CelIp, { ip: network, prefixLength }: CelCidr): boolean {
  if (ip.family !== network.family) return false;
  const list = new BlockList();
  list.addSubnet(network.address, prefixLength, familyName(network.family));
  return list.check(ip.address, familyName(ip.family));
}

const isInAny = (ip: CelIp, networks: string[]): boolean =>
  networks.some((network) => isIn(ip, new CelCidr(network)));

const containsCidr = (outer: CelCidr, inner: CelCidr): boolean =>
  inner.prefixLength >= outer.prefixLength && isIn(inner.ip, outer);

/** The network's first address: the host's bits are 0. */
function masked({ ip, prefixLength }: CelCidr): CelCidr {
  const width = ip.family === 4 ? 32 : 128;
  const shift = BigInt(width - prefixLength);
  const bits = (bitsOf(ip) >> shift) << shift;
  return new CelCidr(`${textOf(bits, ip.family)}/${prefixLength}`);
}

function bitsOf({ address, family }: CelIp): bigint {
  if (family === 4) return address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return [...left, ...zeros, ...right].reduce((sum, part) => (sum << 16n) | BigInt(`0x${part}`), 0n);
}

function textOf(bits: bigint, family: 4 | 6): string {
  const [parts, width, base, separator] =
    family === 4 ? ([4, 8n, 10, '.'] as const) : ([8, 16n, 16, ':'] as const);
  const mask = (1n << width) - 1n;
  return Array.from({ length: parts }, (_part, index) =>
    ((bits >> (width * BigInt(parts - 1 - index))) & mask).toString(base),
  ).join(separator);
}

const reads = (read: () => unknown): boolean => {
  try {
    read();
    return true;
  } catch {
    // That is the answer.
    return false;
  }
};

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const LINK_LOCAL = ['169.254.0.0/16', 'fe80::/10'];
const LINK_LOCAL_MULTICAST = ['224.0.0.0/24', 'ff02::/16'];
const MULTICAST = ['224.0.0.0/4', 'ff00::/8'];
const UNSPECIFIED = ['0.0.0.0/32', '::/128'];
const NOT_GLOBAL = [...LOOPBACK, ...LINK_LOCAL, ...MULTICAST, ...UNSPECIFIED, '255.255.255.255/32'];

/** Upstream: apiserver pkg/cel/library/{ip,cidr}.go. */
export const ipLibrary: CelLibrary = {
  types: { 'net.IP': CelIp, 'net.CIDR': CelCidr },
  functions: [
    ['isIP(string): bool', (text: string) => reads(() => new CelIp(text))],
    ['ip(string): net.IP', (text: string) => new CelIp(text)],
    ['net.IP.family(): int', ({ family }: CelIp) => BigInt(family)],
    ['net.IP.isUnspecified(): bool', (ip: CelIp) => isInAny(ip, UNSPECIFIED)],
    ['net.IP.isLoopback(): bool', (ip: CelIp) => isInAny(ip, LOOPBACK)],
    ['net.IP.isLinkLocalUnicast(): bool', (ip: CelIp) => isInAny(ip, LINK_LOCAL)],
    ['net.IP.isLinkLocalMulticast(): bool', (ip: CelIp) => isInAny(ip, LINK_LOCAL_MULTICAST)],
    ['net.IP.isGlobalUnicast(): bool', (ip: CelIp) => !isInAny(ip, NOT_GLOBAL)],
    ['string(net.IP): string', (ip: CelIp) => ip.address],
    ['isCIDR(string): bool', (text: string) => reads(() => new CelCidr(text))],
    ['cidr(string): net.CIDR', (text: string) => new CelCidr(text)],
    ['net.CIDR.containsIP(string): bool', (cidr: CelCidr, text: string) => isIn(new CelIp(text), cidr)],
    ['net.CIDR.containsIP(net.IP): bool', (cidr: CelCidr, ip: CelIp) => isIn(ip, cidr)],
    [
      'net.CIDR.containsCIDR(string): bool',
      (cidr: CelCidr, text: string) => containsCidr(cidr, new CelCidr(text)),
    ],
    ['net.CIDR.containsCIDR(net.CIDR): bool', containsCidr],
    ['net.CIDR.ip(): net.IP', ({ ip }: CelCidr) => ip],
    ['net.CIDR.masked(): net.CIDR', masked],
    ['net.CIDR.prefixLength(): int', ({ prefixLength }: CelCidr) => BigInt(prefixLength)],
    ['string(net.CIDR): string', (cidr: CelCidr) => cidr.valueOf()],
  ],
};
