import { readFileSync } from 'node:fs';
import type { CapabilitySets } from './container-spec.ts';

/** The capabilities of linux/capability.h, at the position of their bit. */
const names = [
  'CHOWN',
  'DAC_OVERRIDE',
  'DAC_READ_SEARCH',
  'FOWNER',
  'FSETID',
  'KILL',
  'SETGID',
  'SETUID',
  'SETPCAP',
  'LINUX_IMMUTABLE',
  'NET_BIND_SERVICE',
  'NET_BROADCAST',
  'NET_ADMIN',
  'NET_RAW',
  'IPC_LOCK',
  'IPC_OWNER',
  'SYS_MODULE',
  'SYS_RAWIO',
  'SYS_CHROOT',
  'SYS_PTRACE',
  'SYS_PACCT',
  'SYS_ADMIN',
  'SYS_BOOT',
  'SYS_NICE',
  'SYS_RESOURCE',
  'SYS_TIME',
  'SYS_TTY_CONFIG',
  'MKNOD',
  'LEASE',
  'AUDIT_WRITE',
  'AUDIT_CONTROL',
  'SETFCAP',
  'MAC_OVERRIDE',
  'MAC_ADMIN',
  'SYSLOG',
  'WAKE_ALARM',
  'BLOCK_SUSPEND',
  'AUDIT_READ',
  'PERFMON',
  'BPF',
  'CHECKPOINT_RESTORE',
];

/** What a container has when nothing is asked for: the set that containerd gives (its oci `defaultUnixCaps`). */
export const defaultCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
];

/** Every capability that this process may hand on: its bounding set. */
export function allCapabilities(): string[] {
  return readMask('CapBnd');
}

function readMask(field: 'CapBnd' | 'CapEff'): string[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  const held = BigInt(`0x${new RegExp(`^${field}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`);
  return names.filter((_, bit) => ((held >> BigInt(bit)) & 1n) === 1n);
}

let resource: boolean | undefined;

/** True when this process may lower an oom_score_adj (SYS_RESOURCE is in its effective set). */
export function mayLowerOomScore(): boolean {
  return (resource ??= readMask('CapEff').includes('SYS_RESOURCE'));
}

export interface CapabilityRequest {
  add?: string[];
  drop?: string[];
  /** Ambient capabilities to add (CRI `add_ambient_capabilities`): kept by a user other than root. */
  addAmbient?: string[];
  privileged?: boolean;
}

/**
 * The five sets for a CRI request: `ALL` first, then single names; add wins over what `drop: ALL` took, drop over what `add: ALL`
 * gave. Throws for an unknown name.
 */
export function capabilitySets({
  add = [],
  drop = [],
  addAmbient = [],
  privileged,
}: CapabilityRequest): CapabilitySets {
  const held = new Set(privileged === true ? allCapabilities() : defaultCapabilities);
  const added = add.map(plainName);
  const dropped = drop.map(plainName);
  if (added.includes('ALL')) for (const name of allCapabilities()) held.add(name);
  if (dropped.includes('ALL')) held.clear();
  for (const name of added) if (name !== 'ALL') held.add(name);
  for (const name of dropped) held.delete(name);
  const ambient = addAmbient.map(plainName);
  for (const name of ambient) held.add(name);
  const all = [...held];
  return { bounding: all, effective: all, permitted: all, inheritable: ambient, ambient };
}

/** The bit mask of a list of names; `ALL` is every capability that can be handed on. Throws for an unknown name. */
export function capabilityMask(list: string[]): bigint {
  const plain = list.map(plainName);
  const all = plain.includes('ALL') ? allCapabilities() : [];
  return [...all, ...plain.filter((name) => name !== 'ALL')].reduce(
    (mask, name) => mask | (1n << BigInt(names.indexOf(name))),
    0n,
  );
}

function plainName(name: string): string {
  const plain = name.toUpperCase().replace(/^CAP_/, '');
  if (plain !== 'ALL' && !names.includes(plain)) throw new Error(`unknown capability "${name}"`);
  return plain;
}
