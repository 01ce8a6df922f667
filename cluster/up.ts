import { writeFileDurably } from '../linux/files.ts';
import { buildBusybox, busyboxName, openImageStore } from '../runtime/images/index.ts';
import { readClusterFile, writeClusterFile, type ClusterFile } from './cluster-file.ts';
import { findDaemon, startDaemon, stopDaemon } from './daemons.ts';
import { reservePort, type ReservedPort } from './free-port.ts';
import { controlPlaneIdentities, nodeIdentities } from './identities.ts';
import { kubeconfigText } from './kubeconfig.ts';
import { labelControlPlane } from './label-control-plane.ts';
import { lockCluster } from './lock.ts';
import { createNetwork } from './network.ts';
import { startNodeDaemon } from './node-daemons.ts';
import { checkClusterName, clusterNames, clusterPaths } from './paths.ts';
import { checkHost } from './preflight.ts';
import { prepareDiskPool } from './disk-pool.ts';
import { prepareStateDir } from './state-dir.ts';
import { waitUntilReady } from './wait-until-ready.ts';
import { checkZones, dealZones } from './zones.ts';

export interface UpOptions {
  /** Cluster name; `default` when missing. */
  name?: string;
  /** How many nodes; for a new cluster 1 when missing, for one that exists all that it has. */
  nodes?: number;
  /** Availability zones, dealt out to the worker nodes; one for all nodes when missing. */
  zones?: string[];
  /** After how many seconds a volume is taken from a node that doesn't answer; upstream's 360 when missing. */
  forceDetachAfterSeconds?: number;
  /** Folder for the disks in place of the state folder, such as one on an xfs, where snapshots are instant. */
  diskPool?: string;
  /** Folder for the durable state in place of /var/lib/podwright/NAME. */
  stateDir?: string;
}

export interface UpResult {
  name: string;
  kubeconfig: string;
  /** https://127.0.0.1:PORT */
  server: string;
  nodes: string[];
}

/** Starts a cluster, or what does not run of it, and returns when all nodes are Ready. */
export async function up(options: UpOptions = {}): Promise<UpResult> {
  const { stages, result } = findStages(options);
  for (const { run } of stages) await run();
  return await result();
}

/** The stages of `up` in order, for a caller that shows progress; `result` holds after the last one. */
export function findStages({
  name = 'default',
  nodes,
  zones = [],
  forceDetachAfterSeconds,
  diskPool,
  stateDir,
}: UpOptions): {
  stages: { title: string; run: () => Promise<void> }[];
  result: () => Promise<UpResult>;
} {
  checkClusterName(name);
  checkZones(zones);
  let lock: AsyncDisposable | undefined;
  let port: ReservedPort | undefined;
  let busybox: Promise<void> | undefined;
  const release = async (): Promise<void> => {
    await port?.[Symbol.asyncDispose]();
    await lock?.[Symbol.asyncDispose]();
  };
  let file: ClusterFile | undefined;
  const decided = (): ClusterFile => {
    if (file === undefined) throw new Error('up: stages ran out of order');
    return file;
  };
  const stages = [
    {
      title: 'Check the host',
      run: async () => {
        checkHost();
        lock = await lockCluster(name);
        prepareStateDir(name, stateDir);
        prepareDiskPool(name, diskPool);
      },
    },
    {
      title: 'Network and certificates; meanwhile the busybox image',
      run: async () => {
        const present = readPresent({ name, nodes, zones, forceDetachAfterSeconds });
        port = await choosePort(name, present);
        busybox = haveBusybox(name);
        busybox.catch(() => {}); // the last stage waits for it and tells; an earlier one may fail first
        file = await decide({ name, nodes, zones, forceDetachAfterSeconds, port: port.port, present });
        // Nodes that run would go on asking at the old port; their Pods don't mind a new daemon.
        if (present !== undefined && present.port !== file.port) await stopNodes(file);
        await identify(file);
      },
    },
    {
      title: 'Start the control plane and the nodes',
      run: async () => {
        startDaemon({ cluster: name, name: 'control-plane', command: ['control-plane', '--name', name] });
        for (const node of decided().nodes) startNodeDaemon(name, node.name);
      },
    },
    {
      title: 'Make the storage objects; wait until all nodes are Ready',
      run: async () => {
        const { makeStorageObjects } = await import('./storage-objects.ts');
        await waitUntilReady(decided(), makeStorageObjects);
        await Promise.all([labelControlPlane(decided()), busybox]);
      },
    },
  ];
  const unlocking = stages.map(({ title, run }) => ({
    title,
    run: async () => {
      try {
        await run();
      } catch (error) {
        await release();
        throw error;
      }
    },
  }));
  const result = async (): Promise<UpResult> => {
    await release();
    const { port: serverPort, nodes: records } = decided();
    return {
      name,
      kubeconfig: clusterPaths(name).kubeconfig,
      server: `https://127.0.0.1:${serverPort}`,
      nodes: records.map((node) => node.name),
    };
  };
  return { stages: unlocking, result };
}

/** What the cluster is, if there is one; its number of nodes and their zones stay. */
function readPresent(asked: {
  name: string;
  nodes: number | undefined;
  zones: string[];
  forceDetachAfterSeconds: number | undefined;
}): ClusterFile | undefined {
  const { name, nodes, zones, forceDetachAfterSeconds } = asked;
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

/** Decides what a cluster is to be, as far as that isn't decided; the network then exists. */
async function decide(options: {
  name: string;
  nodes: number | undefined;
  zones: string[];
  forceDetachAfterSeconds: number | undefined;
  port: number;
  present: ClusterFile | undefined;
}): Promise<ClusterFile> {
  const { name, nodes, zones, port, present } = options;
  const forceDetachAfterSeconds = present?.forceDetachAfterSeconds ?? options.forceDetachAfterSeconds;
  const {
    warnings,
    nodes: addressed,
    ...network
  } = await createNetwork(name, present, nodes ?? present?.nodes.length ?? 1);
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

async function stopNodes(file: ClusterFile): Promise<void> {
  await Promise.all(file.nodes.map((node) => stopDaemon(file.name, node.name)));
}

/** A cluster keeps its port, unless somebody else took it while the cluster did not run. */
async function choosePort(name: string, present: ClusterFile | undefined): Promise<ReservedPort> {
  if (present !== undefined && findDaemon(name, 'control-plane') !== undefined)
    return { port: present.port, [Symbol.asyncDispose]: async () => {} };
  const others = clusterNames().filter((other) => other !== name);
  return await reservePort({
    preferred: present?.port,
    taken: others.flatMap((other) => portOf(other) ?? []),
  });
}

/** A file of another cluster that can't be read is that cluster's trouble. */
function portOf(cluster: string): number | undefined {
  try {
    return readClusterFile(cluster)?.port;
  } catch {
    return undefined;
  }
}

/** Certificates of everyone, and the administrator's kubeconfig. */
async function identify(file: ClusterFile): Promise<void> {
  const { ca, admin } = await controlPlaneIdentities(file);
  for (const node of file.nodes) await nodeIdentities(file.name, node);
  const text = kubeconfigText({
    cluster: file.name,
    server: `https://127.0.0.1:${file.port}`,
    caCert: ca.cert,
    user: 'kubernetes-admin',
    credentials: admin,
  });
  await writeFileDurably(clusterPaths(file.name).kubeconfig, text, { mode: 0o600 });
}

async function haveBusybox(name: string): Promise<void> {
  const store = openImageStore({ dir: clusterPaths(name).images });
  if (store.find(busyboxName) === undefined) await buildBusybox(store);
}
