import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../client/rest.ts';
import type { ClusterFile, NodeRecord } from './cluster-file.ts';
import { componentLog } from './log.ts';
import { clusterPaths, nodePaths } from './paths.ts';
import { LOOP_DISK } from '../csi/drivers/loop-disk/vendor.ts';
import { LOOP_DISK_NAMES } from './storage-objects.ts';
import { whenNodesReady } from './when-ready.ts';
import { regionOf } from './zones.ts';

interface Running {
  stop(): Promise<void>;
}

/** Nodes are to be Ready soon, and loading all this would keep the API server in the same process from answering them. */
const LATEST_START_MS = 10_000;

/**
 * The storage part of the control plane: the cloud that has the disks, the loop-disk driver's controller services, and what stands
 * beside a CSI driver in other clusters (provisioner, attacher, resizer, snapshotter). Begins when the nodes are Ready.
 */
export function startStorage(file: ClusterFile, client: Client): Running {
  const log = componentLog('storage');
  const stopping = new AbortController();
  const { signal } = stopping;
  const started = (async () => {
    await whenNodesReady(client, { count: file.nodes.length, timeoutMs: LATEST_START_MS, signal });
    return signal.aborted ? [] : await startParts(file, client);
  })();
  started.catch((error: unknown) => {
    log.fatal({ err: error }, 'storage could not be started');
    process.exit(1);
  });
  return {
    async stop() {
      stopping.abort();
      for (const part of (await started).toReversed()) await part.stop();
    },
  };
}

async function startParts(file: ClusterFile, client: Client): Promise<Running[]> {
  const [{ startCloud, startLoopDiskController }, { startSidecars }] = await Promise.all([
    import('../csi/drivers/loop-disk/index.ts'),
    import('../csi/start-sidecars.ts'),
  ]);
  const paths = clusterPaths(file.name);
  const log = componentLog('storage');
  mkdirSync(paths.csi, { recursive: true, mode: 0o700 });
  const zones = [...new Set(file.nodes.map(({ zone }) => zone))];
  const cloud = await startCloud({
    // As the kernel names the files behind loop devices, whatever links lead there.
    dir: realpathSync(paths.cloud),
    socketPath: paths.cloudSocket,
    zones: zones.map((name) => ({ name, region: regionOf(name) })),
    log,
  });
  const drivers = LOOP_DISK_NAMES.map((name) => ({ name, socketPath: join(paths.csi, `${name}.sock`) }));
  const controllers = await Promise.all(
    drivers.map(({ name, socketPath }) =>
      startLoopDiskController({ driverName: name, socketPath, cloudSocket: paths.cloudSocket, log }),
    ),
  );
  return [cloud, ...controllers, await startSidecars({ client, log, drivers })];
}

/** The storage part of a node: the loop-disk driver's node services, and how the kubelet finds them. */
export async function startNodeStorage(file: ClusterFile, node: NodeRecord): Promise<Running> {
  const [{ startLoopDiskNode }, { startRegistrar }] = await Promise.all([
    import('../csi/drivers/loop-disk/index.ts'),
    import('../csi/sidecars/registrar/start-registrar.ts'),
  ]);
  const { csiPlugins, pluginsRegistry } = nodePaths(file.name, node.name);
  const log = componentLog('storage');
  const parts = await Promise.all(
    LOOP_DISK_NAMES.map(async (driverName): Promise<Running[]> => {
      const socketPath = join(csiPlugins, driverName, 'csi.sock');
      mkdirSync(join(csiPlugins, driverName), { recursive: true, mode: 0o700 });
      const { name: nodeName, zone } = node;
      const service = await startLoopDiskNode({
        driverName,
        socketPath,
        nodeName,
        zone,
        region: regionOf(zone),
        // By one name is enough: it is the same machine.
        ...(driverName === LOOP_DISK ? { cloudSocket: clusterPaths(file.name).cloudSocket } : {}),
        log,
      });
      const registrar = await startRegistrar({
        registrationDir: pluginsRegistry,
        driverName,
        driverSocket: socketPath,
        log,
      });
      return [registrar, service];
    }),
  );
  return {
    async stop() {
      for (const part of parts.flat()) await part.stop();
    },
  };
}
