import { readClusterFile, writeClusterFile, type ClusterFile } from './cluster-file.ts';
import { findDaemon } from './daemons.ts';
import { reservePort, type ReservedPort } from './free-port.ts';
import { createNetwork } from './network.ts';
import { clusterNames } from './paths.ts';
import { dealZones } from './zones.ts';

/** What a cluster is asked to be; what is left out stays as it is, or is the default of a new one. */
export interface Wanted {
  name: string;
  nodes: number | undefined;
  zones: string[];
  forceDetachAfterSeconds: number | undefined;
}

/** What the cluster is, if there is one; its number of nodes and their zones stay. */
export function readPresent({
  name,
  nodes,
  zones,
  forceDetachAfterSeconds,
}: Wanted): ClusterFile | undefined {
  const present = readClusterFile(name);
  if (present === undefined) return undefined;
  const refuse = (flag: string, has: string): never => {
    throw new Error(`${flag}: cluster '${name}' has ${has}; take it down first to change that`);
  };
  if (nodes !== undefined && nodes !== present.nodes.length)
    refuse(`--nodes ${nodes}`, `${present.nodes.length} node(s)`);
  const dealt = dealZones(
    present.nodes.map((node) => node.name),
    zones,
  );
  if (zones.length > 0 && present.nodes.some(({ zone }, index) => zone !== dealt[index]))
    refuse(`--zones ${zones.join(',')}`, `its nodes in ${present.nodes.map(({ zone }) => zone).join(',')}`);
  if (forceDetachAfterSeconds !== undefined && forceDetachAfterSeconds !== present.forceDetachAfterSeconds)
    refuse(
      `--force-detach-after ${forceDetachAfterSeconds}`,
      `${present.forceDetachAfterSeconds ?? 'the default'} there`,
    );
  return present;
}

/** A cluster keeps its port, unless somebody else took it while the cluster did not run. */
export async function choosePort(name: string, present: ClusterFile | undefined): Promise<ReservedPort> {
  const chosen = await reservePort({
    preferred: present?.port,
    taken: othersThan(name).map((other) => other.port),
  });
  // Only now: a control plane that has the port by this time has its pid file too.
  if (present === undefined || findDaemon(name, 'control-plane') === undefined) return chosen;
  await chosen[Symbol.asyncDispose]();
  return { port: present.port, [Symbol.asyncDispose]: async () => {} };
}

/**
 * The other clusters of this host, also those that don't run now, as after a reboot: they come back with the port and the network that
 * they had. A file of another cluster that can't be read is that cluster's trouble.
 */
function othersThan(name: string): ClusterFile[] {
  return clusterNames()
    .filter((other) => other !== name)
    .flatMap((other) => {
      try {
        return readClusterFile(other) ?? [];
      } catch {
        return [];
      }
    });
}

/** Decides what a cluster is to be, as far as that isn't decided; the network then exists. */
export async function decide(
  options: Wanted & { port: number; present: ClusterFile | undefined },
): Promise<ClusterFile> {
  const { name, nodes, zones, port, present } = options;
  const forceDetachAfterSeconds = present?.forceDetachAfterSeconds ?? options.forceDetachAfterSeconds;
  const {
    warnings,
    nodes: addressed,
    ...network
  } = await createNetwork({
    cluster: name,
    cidr: present?.cidr,
    taken: othersThan(name).map((other) => other.cidr),
    nodeCount: nodes ?? present?.nodes.length ?? 1,
  });
  for (const warning of warnings) process.stderr.write(`podwright: warning: ${warning}\n`);
  const dealt = dealZones(
    addressed.map((node) => node.name),
    zones,
  );
  const records = addressed.map((node, index) => ({
    ...node,
    zone: present?.nodes[index]?.zone ?? dealt[index] ?? '',
  }));
  const file: ClusterFile = {
    version: 2,
    name,
    port,
    ...network,
    nodes: records,
    ...(forceDetachAfterSeconds === undefined ? {} : { forceDetachAfterSeconds }),
  };
  await writeClusterFile(file);
  return file;
}
