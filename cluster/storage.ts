import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Client } from '../client/rest.ts';
import type { ClusterFile, NodeRecord } from './cluster-file.ts';
import { componentLog } from './log.ts';
import { clusterPaths, nodePaths } from './paths.ts';
import { LOOP_DISK } from '../csi/drivers/loop-disk/vendor.ts';
import { ensureSnapshotClass, ensureStorageObjects, LOOP_DISK_NAMES } from './storage-objects.ts';
import { regionOf } from './zones.ts';

interface Running {
  stop(): Promise<void>;
}

/**
 * The storage part of the control plane: the cloud that has the disks, the loop-disk driver's controller services, and what stands
 * beside a CSI driver in other clusters (provisioner, attacher, resizer, snapshotter).
 */
export async function startStorage(file: ClusterFile, client: Client): Promise<Running> {
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
  const sidecars = await startSidecars({ client, log, drivers });
  const stopping = new AbortController();
  const objects = makeObjects(client, { log, signal: stopping.signal });
  return {
    async stop() {
      stopping.abort();
      await objects;
      await sidecars.stop();
      await Promise.all(controllers.map((controller) => controller.stop()));
      await cloud.stop();
    },
  };
}

const RETRY_MS = 1000;

/** Makes the objects of storage that a new cluster has, trying until they are there. */
async function makeObjects(
  client: Client,
  { log, signal }: { log: Logger; signal: AbortSignal },
): Promise<void> {
  const { installSnapshotCrds } = await import('../csi/snapshots/install-crds.ts');
  while (!signal.aborted) {
    try {
      await ensureStorageObjects(client);
      await installSnapshotCrds({ client, signal });
      await ensureSnapshotClass(client);
      return;
    } catch (error) {
      if (!signal.aborted)
        log.warn({ err: error }, 'the storage objects are not made yet, to be tried again');
      // An abort ends the wait, and the loop.
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
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
