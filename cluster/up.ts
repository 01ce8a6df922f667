import { buildBusybox, busyboxName, openImageStore } from '../runtime/images/index.ts';
import type { ClusterFile } from './cluster-file.ts';
import { startDaemon, stopDaemon } from './daemons.ts';
import { choosePort, decide, readPresent } from './decide.ts';
import { prepareDiskPool } from './disk-pool.ts';
import { isThere, takeDown } from './down.ts';
import type { ReservedPort } from './free-port.ts';
import { controlPlaneIdentities, nodeIdentities } from './identities.ts';
import { writeKubeconfig } from './kubeconfig.ts';
import { labelControlPlane } from './label-control-plane.ts';
import { lockCluster } from './lock.ts';
import { startNodeDaemon } from './node-daemons.ts';
import { checkClusterName, clusterPaths } from './paths.ts';
import { checkHost } from './preflight.ts';
import { prepareStateDir } from './state-dir.ts';
import { waitUntilReady } from './wait-until-ready.ts';
import { checkZones } from './zones.ts';

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

export interface StagesOptions extends UpOptions {
  /**
   * When a stage fails, take down what this call has begun, and never a cluster of which anything was there before. Without, it stays
   * to be looked at, and the next `up` goes on with it.
   */
  undo?: boolean;
}

/** Starts a cluster, or what does not run of it, and returns when all nodes are Ready. */
export async function up(options: StagesOptions = {}): Promise<UpResult> {
  const { stages, result } = findStages(options);
  for (const { run } of stages) await run();
  return await result();
}

/** The stages of `up` in order, for a caller that shows progress; `result` holds after the last one. */
export function findStages({ name = 'default', zones = [], undo = false, ...options }: StagesOptions): {
  stages: { title: string; run: () => Promise<void> }[];
  result: () => Promise<UpResult>;
} {
  checkClusterName(name);
  checkZones(zones);
  const { nodes, forceDetachAfterSeconds, diskPool, stateDir } = options;
  const wanted = { name, nodes, zones, forceDetachAfterSeconds };
  let lock: AsyncDisposable | undefined;
  let port: ReservedPort | undefined;
  let busybox: Promise<void> | undefined;
  let isOurs = false;
  const release = async (): Promise<void> => {
    await port?.[Symbol.asyncDispose]();
    await lock?.[Symbol.asyncDispose]();
  };
  const giveUp = async (): Promise<void> => {
    await Promise.allSettled([busybox]); // it goes on writing into the state folder
    if (undo && isOurs) await takeDown(name).catch((error: unknown) => tellOfRest(name, error));
    await release();
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
        await checkHost();
        lock = await lockCluster(name);
        isOurs = !isThere(name);
        prepareStateDir(name, stateDir);
        prepareDiskPool(name, diskPool);
      },
    },
    {
      title: 'Network and certificates; meanwhile the busybox image',
      run: async () => {
        const present = readPresent(wanted);
        port = await choosePort(name, present);
        busybox = haveBusybox(name);
        busybox.catch(() => {}); // the last stage waits for it and tells; an earlier one may fail first
        file = await decide({ ...wanted, port: port.port, present });
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
        await waitUntilReady(decided(), { prepare: makeStorageObjects });
        await Promise.all([labelControlPlane(decided()), busybox]);
      },
    },
  ];
  const guarded = stages.map(({ title, run }) => ({
    title,
    run: async () => {
      try {
        await run();
      } catch (error) {
        await giveUp();
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
  return { stages: guarded, result };
}

/** The failure that led here is the one to be thrown. */
function tellOfRest(name: string, error: unknown): void {
  const why = error instanceof Error ? error.message : String(error);
  process.stderr.write(`podwright: warning: cluster ${name} was not taken down in whole: ${why}\n`);
}

async function stopNodes(file: ClusterFile): Promise<void> {
  await Promise.all(file.nodes.map((node) => stopDaemon(file.name, node.name)));
}

/** Certificates of everyone, and the administrator's kubeconfig. */
async function identify(file: ClusterFile): Promise<void> {
  const { ca, admin } = await controlPlaneIdentities(file);
  for (const node of file.nodes) await nodeIdentities(file.name, node);
  await writeKubeconfig(clusterPaths(file.name).kubeconfig, {
    cluster: file.name,
    server: `https://127.0.0.1:${file.port}`,
    caCert: ca.cert,
    user: 'kubernetes-admin',
    credentials: admin,
  });
}

async function haveBusybox(name: string): Promise<void> {
  const store = openImageStore({ dir: clusterPaths(name).images });
  if (store.find(busyboxName) === undefined) await buildBusybox(store);
}
