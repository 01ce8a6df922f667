import { spawn } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { connectDriver } from '../../../../csi/connect.ts';
import type { CsiDriver } from '../../../../csi/connect.ts';
import { hasCode } from '../../../../csi/error.ts';
import { loopsBelow } from '../../../../linux/loop-device.ts';
import { mountsBelow } from '../../../../linux/mount-info.ts';
import { patience } from '../../../environment.ts';
import { GiB, makeReflinkPool, MiB, mountCapability, place, poolIn, region, zone } from './driver-rig.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** Every failpoint of these sources: a new one is tested without being named here. */
const named = ['csi/drivers/loop-disk/**/*.ts', 'linux/make-filesystem.ts']
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .flatMap((file) => [...readFileSync(join(root, file), 'utf8').matchAll(/failpoint\('([a-z.-]+)'\)/g)])
  .map(([, name = '']) => name);
const failpoints = [...new Set(named)];

/** These stand only on the way of pools that copy; what is not here dies with the pools that clone. */
const onlyCopying = ['cloud.create.after-copy', 'cloud.snapshot.at-rest', 'cloud.snapshot.after-copy'];

interface Mortal {
  /** Calls the driver until it answers: when it has died, it is started again and asked again. */
  controller<Result>(call: (service: CsiDriver['controller']) => Promise<Result>): Promise<Result>;
  group<Result>(call: (service: CsiDriver['groupController']) => Promise<Result>): Promise<Result>;
  node<Result>(call: (service: CsiDriver['node']) => Promise<Result>): Promise<Result>;
  /** Where it died, in order. */
  deaths: string[];
}

/** The driver in a process that dies at each of these failpoints once. */
function mortalDriver(t: ExecutionContext, dir: string, deadly: string[]): Mortal {
  const deaths: string[] = [];
  let process: { alive: boolean; ready: Promise<void>; kill(): void; ended: Promise<void> } | undefined;
  const living = async () => {
    if (process?.alive !== true) process = start(dir, deaths, deadly);
    await process.ready;
  };
  t.teardown(async () => {
    process?.kill();
    await process?.ended;
  });
  const [controller, node] = ['controller.sock', 'node.sock'].map((name) =>
    connectDriver({ socketPath: join(dir, name) }),
  );
  if (controller === undefined || node === undefined) throw new Error('no clients');
  t.teardown(() => {
    controller.close();
    node.close();
  });
  const insist = async <Result>(call: () => Promise<Result>): Promise<Result> => {
    const deadline = Date.now() + 120_000 * patience;
    for (;;) {
      await living();
      try {
        return await call();
      } catch (error) {
        // ABORTED: an operation that the death interrupted, such as a copy, has begun again.
        if (!hasCode(error, 'UNAVAILABLE', 'ABORTED', 'INTERNAL') || Date.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };
  return {
    controller: (call) => insist(() => call(controller.controller)),
    group: (call) => insist(() => call(controller.groupController)),
    node: (call) => insist(() => call(node.node)),
    deaths,
  };
}

function start(dir: string, deaths: string[], deadly: string[]) {
  const program = fileURLToPath(new URL('driver-process.ts', import.meta.url));
  const left = deadly.filter((name) => !deaths.includes(name));
  const child = spawn(process.execPath, [...process.execArgv, program, dir, ...left], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(dir, 'compile-cache') },
  });
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  const state = {
    alive: true,
    ready: ready.promise,
    ended: ended.promise,
    kill: () => void child.kill('SIGKILL'),
  };
  createInterface(child.stdout).on('line', (line) => {
    if (line === 'READY') ready.resolve();
    else if (line.startsWith('DIES ')) deaths.push(line.slice('DIES '.length));
  });
  child.on('close', () => {
    state.alive = false;
    ready.resolve(); // died while it started: the call finds nobody and starts it again
    ended.resolve();
  });
  return state;
}

for (const reflink of [true, false])
  test.serial(
    `dies at every step once, and every call ends well (${reflink ? 'cloning' : 'copying'} pool)`,
    async (t) => {
      t.timeout(180_000 * patience);
      const dir = place(t);
      if (reflink) await makeReflinkPool(dir);
      const deadly = reflink ? failpoints.filter((name) => !onlyCopying.includes(name)) : onlyCopying;
      const driver = mortalDriver(t, dir, deadly);
      const capability = mountCapability('ext4');
      const create = async (name: string, more: object = {}) => {
        const request = {
          name,
          capacityRange: { requiredBytes: 64 * MiB },
          volumeCapabilities: [capability],
          ...more,
        };
        return (await driver.controller((service) => service.createVolume(request))).volume?.volumeId ?? '';
      };
      const use = async (volumeId: string, name: string) => {
        const nodeId = 'node-1';
        const { publishContext } = await driver.controller((service) =>
          service.controllerPublishVolume({ volumeId, nodeId, volumeCapability: capability }),
        );
        const [stagingTargetPath, targetPath] = [join(dir, 'staging', name), join(dir, 'pods', name)];
        mkdirSync(join(dir, 'pods'), { recursive: true });
        const request = {
          volumeId,
          publishContext,
          stagingTargetPath,
          targetPath,
          volumeCapability: capability,
        };
        await driver.node((service) => service.nodeStageVolume(request));
        await driver.node((service) => service.nodePublishVolume(request));
        t.is(mountsBelow(targetPath).length, 1, 'mounted once, however often it was asked for');
        return request;
      };
      const drop = async ({ volumeId, stagingTargetPath, targetPath }: Awaited<ReturnType<typeof use>>) => {
        await driver.node((service) => service.nodeUnpublishVolume({ volumeId, targetPath }));
        await driver.node((service) => service.nodeUnstageVolume({ volumeId, stagingTargetPath }));
        await driver.controller((service) =>
          service.controllerUnpublishVolume({ volumeId, nodeId: 'node-1' }),
        );
      };

      const volumeId = await create('pvc-1');
      const used = await use(volumeId, 'first');
      writeFileSync(join(used.targetPath, 'data'), 'kept through all of it', { flush: true });
      t.is(loopsBelow(poolIn(dir)).length, 1);

      const take = () =>
        driver.controller((service) =>
          service.createSnapshot({ name: 'snapshot-1', sourceVolumeId: volumeId }),
        );
      let snapshot = (await take()).snapshot;
      while (snapshot?.readyToUse !== true) snapshot = (await take()).snapshot;
      const group = () =>
        driver.group((service) =>
          service.createVolumeGroupSnapshot({ name: 'group-1', sourceVolumeIds: [volumeId] }),
        );
      let groupSnapshot = (await group()).groupSnapshot;
      while (groupSnapshot?.readyToUse !== true) groupSnapshot = (await group()).groupSnapshot;
      const groupSnapshotId = groupSnapshot.groupSnapshotId;
      const snapshotIds = groupSnapshot.snapshots.map((each) => each.snapshotId);
      writeFileSync(join(used.targetPath, 'data'), 'destroyed');

      const restored = await create('pvc-2', {
        volumeContentSource: { snapshot: { snapshotId: snapshot.snapshotId } },
      });
      const second = await use(restored, 'second');
      t.is(
        readFileSync(join(second.targetPath, 'data'), 'utf8'),
        'kept through all of it',
        'formatted never again',
      );

      // Twice: what a death leaves of the first, the restart brings to its end.
      for (const requiredBytes of [GiB, 2 * GiB]) {
        const { capacityBytes } = await driver.controller((service) =>
          service.controllerExpandVolume({ volumeId: restored, capacityRange: { requiredBytes } }),
        );
        t.is(capacityBytes, requiredBytes);
      }
      await drop(second);
      const third = await use(restored, 'third');
      await driver.node((service) =>
        service.nodeExpandVolume({ volumeId: restored, volumePath: third.targetPath }),
      );
      t.is(readFileSync(join(third.targetPath, 'data'), 'utf8'), 'kept through all of it');

      await drop(third);
      await drop(used);
      await driver.group((service) => service.deleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds }));
      await driver.controller((service) => service.deleteSnapshot({ snapshotId: snapshot.snapshotId }));
      for (const id of [volumeId, restored])
        await driver.controller((service) => service.deleteVolume({ volumeId: id }));

      t.deepEqual(driver.deaths.toSorted(), deadly.toSorted());
      t.deepEqual(loopsBelow(poolIn(dir)), [], 'no device is left');
      const files = (name: string) =>
        existsSync(join(poolIn(dir), region, name)) ? readdirSync(join(poolIn(dir), region, name)) : [];
      t.deepEqual([...files(zone), ...files('snapshots')], [], 'no file is left');
      t.deepEqual(readdirSync(join(poolIn(dir), 'records', 'disks')), []);
    },
  );
