import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { CommandError, run } from '../linux/command.ts';
import { tableName } from './names.ts';

export interface ClusterTableOptions {
  cluster: string;
  bridge: string;
  /** The cluster's /16. */
  cidr: string;
  /** Interfaces that lead to the world. */
  uplinks: string[];
}

/**
 * Makes the cluster's nftables table: Pods that leave the cluster get the host's address, answers to them come back, and
 * nobody else comes in. Then lets the bridge and the uplinks forward, each by its own sysctl: the host's
 * `ip_forward` stays as it is (Documentation/networking/ip-sysctl.rst, conf/INTERFACE/forwarding).
 *
 * An uplink whose forwarding is switched on for this stands in the table's set `switched_on`; so the kernel itself
 * remembers what is to be put back, and packets that nobody asked for and that are not for a cluster are still not
 * forwarded from there. On a host that forwards itself (`ip_forward`, which Docker and virtual machines switch on, at any
 * time) no uplink is ours: it stays as it is. Where that comes later, the drop stays until the next `up`, but for what the host
 * itself sends on to another address, such as a port that Docker publishes.
 * Returns warnings; a host without nftables has a cluster that cannot reach the world.
 */
export async function applyClusterTable(options: ClusterTableOptions): Promise<string[]> {
  const switchedOn = await uplinksToSwitchOn(options.uplinks);
  try {
    await run('nft', ['-f', '-'], { input: rulesOf({ ...options, switchedOn }) });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return [`Pods cannot reach beyond the cluster: ${error.message}`];
  }
  for (const name of [options.bridge, ...switchedOn]) setForwarding(name, true);
  return options.uplinks
    .filter((name) => !isForwarding(name))
    .map(
      (name) =>
        `Pods get no answers from beyond ${name}, which does not forward though the host does: sysctl ${forwardingFile(name)} is 0`,
    );
}

async function uplinksToSwitchOn(uplinks: string[]): Promise<string[]> {
  if (isForwarding(everyInterface)) return [];
  const held = await uplinksSwitchedOn();
  return uplinks.filter((name) => held.has(name) || !isForwarding(name));
}

/**
 * Removes the table, and switches forwarding off again on the uplinks that no other cluster needs, unless the host has begun to
 * forward meanwhile. Idempotent.
 */
export async function removeClusterTable(cluster: string): Promise<void> {
  const tables = await podwrightTables();
  if (!tables.includes(tableName(cluster))) return;
  const own = isForwarding(everyInterface) ? [] : await switchedOnBy(tableName(cluster));
  const others = await uplinksSwitchedOn(tables.filter((table) => table !== tableName(cluster)));
  for (const name of own.filter((uplink) => !others.has(uplink))) setForwarding(name, false);
  await run('nft', ['-f', '-'], { input: emptied(tableName(cluster)) });
}

/** `add` before `delete` makes the deletion idempotent; one file is one transaction of the kernel (nft(8)). */
const emptied = (table: string): string => `add table ip ${table}\ndelete table ip ${table}\n`;

function rulesOf({
  cluster,
  bridge,
  cidr,
  switchedOn,
}: ClusterTableOptions & { switchedOn: string[] }): string {
  const table = tableName(cluster);
  const elements = switchedOn.length === 0 ? '' : `elements = { ${switchedOn.map(quoted).join(', ')} }`;
  return `${emptied(table)}
table ip ${table} {
  set switched_on {
    type ifname
    ${elements}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${cidr} ip daddr != ${cidr} oifname != "pw-*" masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname @switched_on oifname != "pw-*" ct state != { established, related } ct status & dnat == 0 drop
    iifname != ${quoted(bridge)} oifname ${quoted(bridge)} ct state != { established, related } drop
  }
}
`;
}

async function uplinksSwitchedOn(tables?: string[]): Promise<Set<string>> {
  const sets = await Promise.all((tables ?? (await podwrightTables())).map((table) => switchedOnBy(table)));
  return new Set(sets.flat());
}

interface NftList {
  nftables: { table?: { family: string; name: string }; set?: { elem?: string[] } }[];
}

/** Tables of all clusters on this host; none where there is no nftables at all. */
async function podwrightTables(): Promise<string[]> {
  const { nftables } = await nftList(['list', 'tables', 'ip']);
  return nftables.flatMap(({ table }) => (table?.name.startsWith('podwright-') ? [table.name] : []));
}

async function switchedOnBy(table: string): Promise<string[]> {
  const { nftables } = await nftList(['list', 'set', 'ip', table, 'switched_on']);
  return nftables.flatMap(({ set }) => set?.elem ?? []);
}

async function nftList(args: string[]): Promise<NftList> {
  try {
    const { stdout } = await run('nft', ['-j', ...args]);
    return JSON.parse(stdout) as NftList;
  } catch (error) {
    if (error instanceof CommandError) return { nftables: [] };
    throw error;
  }
}

const quoted = (name: string): string => JSON.stringify(name);

/** Its forwarding is `net.ipv4.ip_forward`; written, it sets that of every interface. */
const everyInterface = 'all';

const forwardingFile = (name: string): string => `/proc/sys/net/ipv4/conf/${name}/forwarding`;

const isForwarding = (name: string): boolean => readFileSync(forwardingFile(name), 'utf8').trim() === '1';

/** An interface that was unplugged meanwhile has no state to put back. */
function setForwarding(name: string, on: boolean): void {
  if (existsSync(forwardingFile(name))) writeFileSync(forwardingFile(name), on ? '1' : '0');
}
