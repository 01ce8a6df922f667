import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CsiError } from '../../../../csi/error.ts';
import type { CodeName } from '../../../../csi/error.ts';
import { serveDriver } from '../../../../csi/serve.ts';
import type {
  NodeExpandVolumeRequest,
  NodePublishVolumeRequest,
  NodeServiceCapabilityRPCType,
  NodeStageVolumeRequest,
  RegistrationStatus,
} from '../../../../csi/types.ts';
import { isMountPoint } from '../../../../linux/mount-info.ts';
import { bindMount, unmount } from '../../../../linux/mount.ts';
import { mountTmpfs } from '../../../../linux/tmpfs.ts';

export interface FakeNodeDriverOptions {
  name?: string;
  /** The kubelet's directory. */
  rootDir: string;
  capabilities?: NodeServiceCapabilityRPCType[];
  nodeId?: string;
  topology?: Record<string, string>;
  maxVolumesPerNode?: number;
  supportedVersions?: string[];
  /** For block volumes: the device of a volume. */
  deviceOf?: (volumeId: string) => string;
}

export interface DriverCall {
  rpc: string;
  request: unknown;
}

/** The next call of an RPC answers a code, before or after it has done its work. */
export interface Fault {
  code: CodeName;
  afterwards?: boolean;
}

/**
 * The node service of a driver and its registrar, on real sockets: a staged volume is a tmpfs, a published one a bind mount of it. Like
 * a real one it is idempotent and knows what it did only from the mounts.
 */
export const startFakeNodeDriver = async (options: FakeNodeDriverOptions) => {
  const { name = 'ee-fake.csi.podwright.io', rootDir, nodeId = 'node-1-id', topology } = options;
  const capabilities = options.capabilities ?? ['STAGE_UNSTAGE_VOLUME'];
  const calls: DriverCall[] = [];
  const faults = new Map<string, Fault[]>();
  const notifications: RegistrationStatus[] = [];
  const stats = { abnormal: '', usedBytes: 1000 };
  let delay: Promise<void> | undefined;
  let { maxVolumesPerNode = 0 } = options;

  const doing = async (rpc: string, request: unknown, work: () => void): Promise<Record<string, never>> => {
    calls.push({ rpc, request });
    await delay;
    const fault = faults.get(rpc)?.shift();
    if (fault !== undefined && fault.afterwards !== true)
      throw new CsiError(fault.code, `fake ${rpc} failure`);
    work();
    if (fault !== undefined) throw new CsiError(fault.code, `fake ${rpc} failure`);
    return {};
  };

  const stage = ({ stagingTargetPath, volumeCapability }: NodeStageVolumeRequest) => {
    if (volumeCapability?.block !== undefined || isMountPoint(stagingTargetPath)) return;
    mountTmpfs({ directory: stagingTargetPath });
  };
  const publish = (request: NodePublishVolumeRequest) => {
    const { targetPath, stagingTargetPath, volumeCapability, readonly, volumeId } = request;
    if (isMountPoint(targetPath)) return;
    if (volumeCapability?.block !== undefined) {
      writeFileSync(targetPath, '');
      return bindMount({ source: options.deviceOf?.(volumeId) ?? '/dev/null', target: targetPath });
    }
    mkdirSync(targetPath, { recursive: true });
    if (stagingTargetPath === '') return mountTmpfs({ directory: targetPath });
    return bindMount({ source: stagingTargetPath, target: targetPath, readOnly: readonly });
  };
  const unpublish = (targetPath: string) => {
    if (isMountPoint(targetPath)) unmount(targetPath);
    try {
      rmdirSync(targetPath);
    } catch {
      rmSync(targetPath, { force: true }); // a block volume's file, or nothing
    }
  };

  const socketPath = join(rootDir, 'plugins', name, 'csi.sock');
  const registrationSocket = join(rootDir, 'plugins_registry', `${name}-reg.sock`);
  const serveNode = () =>
    serveDriver({
      socketPath,
      identity: { getPluginInfo: () => ({ name, vendorVersion: '1', manifest: {} }) },
      node: {
        nodeGetCapabilities: () => ({ capabilities: capabilities.map((type) => ({ rpc: { type } })) }),
        nodeGetInfo: () => ({
          nodeId,
          maxVolumesPerNode,
          ...(topology ? { accessibleTopology: { segments: topology } } : {}),
        }),
        nodeStageVolume: (request) => doing('stage', request, () => stage(request)),
        nodePublishVolume: (request) => doing('publish', request, () => publish(request)),
        nodeUnpublishVolume: (request) => doing('unpublish', request, () => unpublish(request.targetPath)),
        nodeUnstageVolume: (request) =>
          doing('unstage', request, () => {
            if (isMountPoint(request.stagingTargetPath)) unmount(request.stagingTargetPath);
          }),
        nodeExpandVolume: async (request: NodeExpandVolumeRequest) => {
          await doing('expand', request, () => undefined);
          return { capacityBytes: request.capacityRange?.requiredBytes ?? 0 };
        },
        nodeGetVolumeStats: () => ({
          usage: [
            { unit: 'BYTES', used: stats.usedBytes, total: 5000, available: 4000 },
            { unit: 'INODES', used: 1, total: 50, available: 49 },
          ],
          volumeCondition: { abnormal: stats.abnormal !== '', message: stats.abnormal },
        }),
      },
    });
  const serveRegistrar = () =>
    serveDriver({
      socketPath: registrationSocket,
      registration: {
        getInfo: () => ({
          type: 'CSIPlugin',
          name,
          endpoint: socketPath,
          supportedVersions: options.supportedVersions ?? ['1.0.0'],
        }),
        notifyRegistrationStatus(status) {
          notifications.push(status);
          return {};
        },
      },
    });

  let node: { stop(): Promise<void> } | undefined = await serveNode();
  let registrar: { stop(): Promise<void> } | undefined = await serveRegistrar();
  return {
    name,
    calls,
    notifications,
    stats,
    registrationSocket,
    /** The names of the calls so far, in order. */
    rpcs: () => calls.map(({ rpc }) => rpc),
    requestOf: <T>(rpc: string): T => calls.find((call) => call.rpc === rpc)?.request as T,
    fail: (rpc: string, ...next: Fault[]) => faults.set(rpc, next),
    /** Holds all calls until the answer is called. */
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      delay = promise;
      return () => {
        delay = undefined;
        resolve();
      };
    },
    setMaxVolumes: (count: number) => {
      maxVolumesPerNode = count;
    },
    /** The driver's process dies; its mounts stay. */
    async down() {
      await Promise.all([node?.stop(), registrar?.stop()]);
      node = registrar = undefined;
    },
    async up() {
      node ??= await serveNode();
      registrar ??= await serveRegistrar();
    },
    async stop() {
      await Promise.all([node?.stop(), registrar?.stop()]);
    },
  };
};

export type FakeNodeDriver = Awaited<ReturnType<typeof startFakeNodeDriver>>;
