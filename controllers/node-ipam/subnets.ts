/** The equal parts of an IPv4 network. */
export interface Subnets {
  /** The first part but one that isn't taken; undefined when all are. */
  firstFree(taken: ReadonlySet<string>): string | undefined;
}

/** Cuts `cidr` (such as 10.244.0.0/16) into parts of `prefixLength` bits. Throws for what is no IPv4 network. */
export const createSubnets = ({ cidr, prefixLength }: { cidr: string; prefixLength: number }): Subnets => {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
  if (match === null) throw new Error(`not an IPv4 network: ${cidr}`);
  const [a = 0, b = 0, c = 0, d = 0, length = 0] = match.slice(1).map(Number);
  const base = a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
  const size = 2 ** (32 - prefixLength);
  const count = 2 ** Math.max(0, prefixLength - length);
  return {
    firstFree(taken) {
      for (let index = 1; index < count; index += 1) {
        const part = `${dotted(base + index * size)}/${prefixLength}`;
        if (!taken.has(part)) return part;
      }
      return undefined;
    },
  };
};

const dotted = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
