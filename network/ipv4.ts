/** An IPv4 network: `address` is its first address as an unsigned 32-bit number. */
export interface Ipv4Network {
  address: number;
  prefixLength: number;
}

/** Reads `10.244.0.0/16` (bits behind the prefix are cut off); a bare address is a /32. Throws on anything else. */
export function parseNetwork(text: string): Ipv4Network {
  const [address = '', prefix = '32'] = text.split('/');
  const prefixLength = Number(prefix);
  if (!/^\d{1,2}$/.test(prefix) || prefixLength > 32) throw new Error(`not an IPv4 network: ${text}`);
  return { address: (parseAddress(address) & maskOf(prefixLength)) >>> 0, prefixLength };
}

/** Reads `10.244.0.1` as an unsigned 32-bit number. Throws on anything else. */
export function parseAddress(text: string): number {
  const parts = text.split('.');
  const valid = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
  if (!valid) throw new Error(`not an IPv4 address: ${text}`);
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}

export const formatAddress = (address: number): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');

export const formatNetwork = ({ address, prefixLength }: Ipv4Network): string =>
  `${formatAddress(address)}/${prefixLength}`;

/** Whether two networks have an address in common. */
export function overlaps(one: Ipv4Network, other: Ipv4Network): boolean {
  const mask = maskOf(Math.min(one.prefixLength, other.prefixLength));
  return (one.address & mask) === (other.address & mask);
}

const maskOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (~0 << (32 - prefixLength)) >>> 0);
