import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { connectDriver } from '../../../../csi/connect.ts';
import type { CsiDriver } from '../../../../csi/connect.ts';
import {
  connectCloud,
  detachAllLoops,
  LOOP_DISK,
  startCloud,
  startLoopDiskController,
  startLoopDiskNode,
} from '../../../../csi/drivers/loop-disk/index.ts';
import type { CodeName, CsiError } from '../../../../csi/error.ts';
import type { CloudClient, StartCloudOptions } from '../../../../csi/drivers/loop-disk/index.ts';
import type {
  NodePublishVolumeRequest,
  NodeStageVolumeRequest,
  VolumeCapability,
} from '../../../../csi/types.ts';
import { run } from '../../../../linux/command.ts';
import { attachLoop, detachLoop } from '../../../../linux/loop-device.ts';
import { mountsBelow, unmountBelow } from '../../../../linux/mount-info.ts';
import { createSparseFile } from '../../../../linux/sparse-file.ts';
import { expectNothingLeft, until } from '../../../environment.ts';

export const MiB = 1024 ** 2;
export const GiB = 1024 ** 3;

export const zone = 'cn-hangzhou-b';
export const region = 'cn-hangzhou';

/** Options that fit no log: what a test does not look at. */
export const silentLog = { info: () => undefined, warn: () => undefined };

/** A fresh directory for one test; at its end nothing of it may be mounted or be a loop device. */
export function place(t: ExecutionContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'dd-'));
  t.teardown(async () => {
    // A pool that is a file system of its own is unmounted last: the loop devices of its files go first.
    for (const { mountPoint } of mountsBelow(directory).filter(
      (mount) => mount.mountPoint !== poolIn(directory),
    ))
      unmountBelow(mountPoint, { lazy: true });
    await detachAllLoops({ dir: poolIn(directory) });
    unmountBelow(directory);
    await detachAllLoops({ dir: directory });
    rmSync(directory, { recursive: true, force: true });
    await expectNothingLeft(directory, ['mounts', 'loopDevices']);
  });
  return directory;
}

export const poolIn = (directory: string): string => join(directory, 'pool');

/** Makes the pool an xfs file system of its own, whose files can share blocks. */
export async function makeReflinkPool(directory: string, { sizeBytes = 2 * GiB } = {}): Promise<void> {
  const image = join(directory, 'pool.img');
  createSparseFile(image, sizeBytes);
  await run('mkfs.xfs', ['-q', image]);
  mkdirSync(poolIn(directory));
  const device = attachLoop(image);
  try {
    await run('mount', [device, poolIn(directory)]);
  } catch (error) {
    await detachLoop({ path: device, backingFile: image });
    throw error;
  }
}

export interface CloudRig {
  dir: string;
  cloud: CloudClient;
  /** Ends the cloud and starts it again, as a new process would. */
  restart(options?: Partial<StartCloudOptions>): Promise<void>;
  /** Ends the cloud. */
  halt(): Promise<void>;
  imageOf(disk: { id: string }): string;
}

export interface RigOptions extends Partial<StartCloudOptions> {
  reflink?: boolean;
}

/** A cloud with one zone and the instances `node-1` and `node-2`. */
export async function cloudRig(
  t: ExecutionContext,
  { reflink = false, ...options }: RigOptions = {},
): Promise<CloudRig> {
  const dir = place(t);
  if (reflink) await makeReflinkPool(dir);
  const socketPath = join(dir, 'cloud.sock');
  const zones = [{ name: zone, region }];
  const start = (more: Partial<StartCloudOptions> = {}) =>
    startCloud({ dir: poolIn(dir), socketPath, log: silentLog, zones, ...options, ...more });
  let running = await start();
  t.teardown(() => running.stop());
  const cloud = connectCloud(socketPath);
  t.teardown(() => cloud.close());
  for (const name of ['node-1', 'node-2']) await cloud.putInstance(name, { zone });
  return {
    dir,
    cloud,
    imageOf: ({ id }) => join(poolIn(dir), region, zone, `${id}.img`),
    halt: () => running.stop(),
    async restart(more) {
      await running.stop();
      running = await start(more);
    },
  };
}

export interface DriverRig extends CloudRig {
  controller: CsiDriver['controller'];
  group: CsiDriver['groupController'];
  identity: CsiDriver['identity'];
  node: CsiDriver['node'];
  stop(): Promise<void>;
}

/** The cloud, and the driver's two sides on their sockets. */
export async function driverRig(
  t: ExecutionContext,
  { driverName = LOOP_DISK, ...options }: RigOptions & { driverName?: string } = {},
): Promise<DriverRig> {
  const rig = await cloudRig(t, options);
  const [controllerSocket, nodeSocket] = [join(rig.dir, 'controller.sock'), join(rig.dir, 'node.sock')];
  const cloudSocket = join(rig.dir, 'cloud.sock');
  const log = silentLog;
  const controller = await startLoopDiskController({
    driverName,
    socketPath: controllerSocket,
    cloudSocket,
    log,
  });
  const node = await startLoopDiskNode({
    driverName,
    socketPath: nodeSocket,
    nodeName: 'node-1',
    region,
    zone,
    log,
  });
  const clients = [controllerSocket, nodeSocket].map((socketPath) => connectDriver({ socketPath }));
  const [one, other] = clients;
  if (one === undefined || other === undefined) throw new Error('no clients');
  const stop = async () => {
    for (const client of clients) client.close();
    await node.stop();
    await controller.stop();
  };
  t.teardown(stop);
  return {
    ...rig,
    controller: one.controller,
    group: one.groupController,
    identity: one.identity,
    node: other.node,
    stop,
  };
}

export const mountCapability = (fsType = '', mode: Mode = 'SINGLE_NODE_WRITER'): VolumeCapability => ({
  mount: { fsType, mountFlags: [], volumeMountGroup: '' },
  accessMode: { mode },
});

export const blockCapability = (mode: Mode = 'SINGLE_NODE_WRITER'): VolumeCapability => ({
  block: {},
  accessMode: { mode },
});

type Mode = NonNullable<VolumeCapability['accessMode']>['mode'];

/** The paths that a kubelet would give. */
export const pathsOf = (rig: CloudRig, name = 'volume') => ({
  stagingTargetPath: join(rig.dir, 'staging', name, 'globalmount'),
  targetPath: join(rig.dir, 'pods', name, 'mount'),
});

export interface UseOptions {
  capability?: VolumeCapability;
  name?: string;
  nodeId?: string;
}

/** Attaches, stages and publishes a volume, and returns what the calls were given. */
export async function useVolume(
  rig: DriverRig,
  volumeId: string,
  { capability = mountCapability(), name = 'volume', nodeId = 'node-1' }: UseOptions = {},
): Promise<NodeStageVolumeRequest & NodePublishVolumeRequest> {
  const { publishContext } = await rig.controller.controllerPublishVolume({
    volumeId,
    nodeId,
    volumeCapability: capability,
  });
  const { stagingTargetPath, targetPath } = pathsOf(rig, name);
  const request = {
    volumeId,
    publishContext,
    stagingTargetPath,
    targetPath,
    volumeCapability: capability,
    readonly: false,
    secrets: {},
    volumeContext: {},
  };
  await rig.node.nodeStageVolume(request);
  mkdirSync(join(targetPath, '..'), { recursive: true });
  await rig.node.nodePublishVolume(request);
  return request;
}

/** The opposite of useVolume(). */
export async function dropVolume(
  rig: DriverRig,
  { volumeId, stagingTargetPath, targetPath }: NodePublishVolumeRequest,
  { nodeId = 'node-1' } = {},
): Promise<void> {
  await rig.node.nodeUnpublishVolume({ volumeId, targetPath });
  await rig.node.nodeUnstageVolume({ volumeId, stagingTargetPath });
  await rig.controller.controllerUnpublishVolume({ volumeId, nodeId });
}

export interface MakeOptions {
  sizeBytes?: number;
  capability?: VolumeCapability;
}

/** Makes a volume and returns its id. */
export async function makeVolume(
  rig: DriverRig,
  name: string,
  { sizeBytes = 64 * MiB, capability = mountCapability() }: MakeOptions = {},
): Promise<string> {
  const { volume } = await rig.controller.createVolume({
    name,
    capacityRange: { requiredBytes: sizeBytes },
    volumeCapabilities: [capability],
  });
  return volume?.volumeId ?? '';
}

/** ava compares name, code and message; gRPC's code name is what a reader knows. */
export async function fails(
  t: ExecutionContext,
  call: Promise<unknown>,
  codeName: CodeName,
  message: string | RegExp,
): Promise<void> {
  const error = await t.throwsAsync(call, { name: 'CsiError', message });
  t.is((error as CsiError).codeName, codeName);
}

/** What a call of the cloud throws. */
export const rejects = (code: string, message: string | RegExp) => ({ name: 'CloudError', code, message });

/** Resolves when a snapshot has been copied. */
export async function settled(rig: CloudRig, id: string): Promise<void> {
  await until('the snapshot is there', async () => (await rig.cloud.getSnapshot(id)).state === 'ready');
}

/** A disk of 32 MiB with an ext4, attached to node-1 and mounted below the rig's directory. */
export async function mountedDisk({ cloud, dir }: CloudRig, name = 'one') {
  const disk = await cloud.createDisk({ name, zone, sizeBytes: 32 * MiB });
  const { devicePath = '' } = await cloud.attachDisk(disk.id, { instance: 'node-1', mode: 'read-write' });
  await run('mkfs.ext4', ['-q', devicePath]);
  const target = join(dir, `mounted-${name}`);
  await run('mkdir', [target]);
  await run('mount', [devicePath, target]);
  return { disk, devicePath, target };
}
