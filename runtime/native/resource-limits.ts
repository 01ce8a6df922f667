import type { ResourceLimit } from './container-spec.ts';

/** The numbers of asm-generic/resource.h. */
const numbers: Record<string, number> = {
  CPU: 0,
  FSIZE: 1,
  DATA: 2,
  STACK: 3,
  CORE: 4,
  RSS: 5,
  NPROC: 6,
  NOFILE: 7,
  MEMLOCK: 8,
  AS: 9,
  LOCKS: 10,
  SIGPENDING: 11,
  MSGQUEUE: 12,
  NICE: 13,
  RTPRIO: 14,
  RTTIME: 15,
};

const infinity = 0xffffffffffffffffn;

/** Number, soft and hard limit as prlimit(2) takes them. Throws for an unknown type. */
export function resourceLimitFields({ type, soft, hard }: ResourceLimit): [number, string, string] {
  const number = numbers[type.toUpperCase().replace(/^RLIMIT_/, '')];
  if (number === undefined) throw new Error(`unknown resource limit "${type}"`);
  const value = (limit: number | 'unlimited') =>
    `0x${(limit === 'unlimited' ? infinity : BigInt(limit)).toString(16)}`;
  return [number, value(soft), value(hard)];
}
