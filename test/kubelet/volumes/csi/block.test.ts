import { lstatSync, readlinkSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { NodePublishVolumeRequest, NodeStageVolumeRequest } from '../../../../csi/types.ts';
import { setFailpoint } from '../../../../linux/failpoint.ts';
import { unmountBelow } from '../../../../linux/mount-info.ts';
import { attachLoop, detachLoop } from '../../../../linux/loop-device.ts';
import type { CreateContainerRequest } from '../../../../runtime/cri/types.ts';
import { until } from '../../../environment.ts';
import { listed, startStorageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

/** A driver whose volumes are one loop device. */
const startBlockBench = async (
  t: ExecutionContext,
  driverSpec = {},
): Promise<StorageBench & { disk: string }> => {
  let disk = '';
  const bench = await startStorageBench(t, {
    driver: { deviceOf: () => disk },
    driverSpec: { attachRequired: false, ...driverSpec },
  });
  const backingFile = join(bench.dir, 'ee-disk.img');
  await using file = await open(backingFile, 'w');
  await file.truncate(8 * 1024 * 1024);
  disk = attachLoop(backingFile);
  t.teardown(() => detachLoop({ path: disk, backingFile }));
  return Object.assign(bench, { disk });
};

const makeRawPod = (bench: StorageBench, name: string, claimName: string) =>
  bench.makePod(name, [], {
    volumes: [{ name: 'raw', persistentVolumeClaim: { claimName } }],
    containers: [
      { name: 'main', image: 'busybox', volumeDevices: [{ name: 'raw', devicePath: '/dev/xvda' }] },
    ],
  });

const devices = 'plugins/kubernetes.io/csi/volumeDevices';

test.serial('a device that is gone from where it was published is published again', async (t) => {
  const bench = await startBlockBench(t);
  const { driver, rootDir } = bench;
  await bench.makeVolume('disk', { spec: { volumeMode: 'Block' } });
  const pod = await makeRawPod(bench, 'raw', 'disk');
  await bench.running('raw');
  await bench.kubelet.stop();
  unmountBelow(rootDir);
  const published = join(rootDir, devices, 'publish/disk', pod.metadata?.uid ?? '');
  t.false(statSync(published).isBlockDevice());
  await bench.restartKubelet();
  await until('published again', () => statSync(published).isBlockDevice());
  t.deepEqual(driver.rpcs(), ['stage', 'publish', 'publish']);
  await bench.deletePod('raw');
  await until('unstaged', () => driver.rpcs().at(-1) === 'unstage');
});

test.serial(
  'a block volume is staged, published, mapped, given to the container, and undone in order',
  async (t) => {
    const bench = await startBlockBench(t);
    const { driver, rootDir, disk } = bench;
    await bench.makeVolume('disk', { spec: { volumeMode: 'Block' } });
    const pod = await makeRawPod(bench, 'raw', 'disk');
    await bench.running('raw');
    const uid = pod.metadata?.uid ?? '';
    t.deepEqual(driver.rpcs(), ['stage', 'publish']);
    t.like(driver.requestOf<NodeStageVolumeRequest>('stage'), {
      stagingTargetPath: join(rootDir, devices, 'staging/disk'),
      volumeCapability: { block: {} },
    });
    const published = join(rootDir, devices, 'publish/disk', uid);
    t.like(driver.requestOf<NodePublishVolumeRequest>('publish'), {
      stagingTargetPath: join(rootDir, devices, 'staging/disk'),
      targetPath: published,
      volumeCapability: { block: {} },
    });
    const link = join(rootDir, 'pods', uid, 'volumeDevices/kubernetes.io~csi/disk');
    t.is(readlinkSync(link), published);
    t.is(statSync(link).rdev, statSync(disk).rdev);
    t.is(statSync(join(rootDir, devices, 'disk/dev', uid)).rdev, statSync(disk).rdev);
    const created = bench.cri.calls.find(({ method }) => method === 'CreateContainer');
    const { config } = (created?.request ?? {}) as Partial<CreateContainerRequest>;
    t.deepEqual(config?.devices, [{ containerPath: '/dev/xvda', hostPath: link, permissions: 'mrw' }]);
    await bench.eventUntil('raw', ({ message = '' }) => message.includes(' volumeMapPath '));
    const mapped = (await bench.eventsOf('raw')).filter(({ reason }) => reason === 'SuccessfulMountVolume');
    t.deepEqual(
      mapped.map(({ message = '' }) => message).toSorted((a, b) => a.localeCompare(b)),
      [
        `MapVolume.MapPodDevice succeeded for volume "disk" globalMapPath "${join(rootDir, devices, 'disk/dev')}"`,
        `MapVolume.MapPodDevice succeeded for volume "disk" volumeMapPath "${join(rootDir, 'pods', uid, 'volumeDevices/kubernetes.io~csi')}"`,
      ],
    );

    await bench.deletePod('raw');
    await until('unstaged', () => driver.rpcs().at(-1) === 'unstage');
    t.deepEqual(driver.rpcs(), ['stage', 'publish', 'unpublish', 'unstage']);
    await until('no folders', () => listed(join(rootDir, devices, 'disk')).length === 0);
    t.deepEqual(bench.mounts(), []);
    t.is(lstatSync(link, { throwIfNoEntry: false }), undefined);
    t.deepEqual(listed(join(rootDir, devices, 'publish')), []);
    t.deepEqual(listed(join(rootDir, devices, 'staging')), []);
  },
);

for (const point of ['kubelet.stage.after-call', 'kubelet.publish.after-call']) {
  test.serial(
    `a kubelet that dies at ${point} of a block volume leaves nothing when the Pod is gone`,
    async (t) => {
      const bench = await startBlockBench(t);
      const { driver, client, rootDir } = bench;
      await bench.makeVolume('disk', { spec: { volumeMode: 'Block' } });
      let reached = false;
      const dead = setFailpoint(point, () => {
        reached = true;
        return new Promise<never>(() => undefined);
      });
      await makeRawPod(bench, 'raw', 'disk');
      await until('the point', () => reached);
      await bench.kubelet.stop();
      dead[Symbol.dispose]();
      await client.request({
        method: 'DELETE',
        path: '/api/v1/namespaces/default/pods/raw?gracePeriodSeconds=0',
      });
      await bench.gone('raw');
      await bench.restartKubelet();
      await until('unstaged', () => driver.rpcs().at(-1) === 'unstage');
      await until('no folders', () => listed(join(rootDir, devices, 'disk')).length === 0);
      t.deepEqual(bench.mounts(), []);
      await until('no Pod', () => listed(join(rootDir, 'pods')).length === 0);
    },
  );
}

test.serial(
  'a kubelet that comes back takes a block volume over; refusals have upstream’s words',
  async (t) => {
    const bench = await startBlockBench(t);
    const { driver } = bench;
    await bench.makeVolume('disk', { spec: { volumeMode: 'Block' } });
    await makeRawPod(bench, 'raw', 'disk');
    await bench.running('raw');
    await bench.restartKubelet();
    await bench.makePod('dir', ['disk']);
    const event = await bench.eventUntil('dir', ({ reason }) => reason === 'FailedMount');
    t.true(event.message?.endsWith('volume disk has volumeMode Block, but is specified in volumeMounts'));
    t.deepEqual(driver.rpcs(), ['stage', 'publish']);
    await bench.deletePod('raw');
    await until('unstaged', () => driver.rpcs().at(-1) === 'unstage');

    driver.fail('stage', { code: 'INTERNAL' });
    await makeRawPod(bench, 'again', 'disk');
    const failed = await bench.eventUntil('again', ({ reason }) => reason === 'FailedMapVolume');
    t.is(
      failed.message,
      'MapVolume.SetUpDevice failed for volume "disk" : rpc error: code = Internal desc = fake stage failure',
    );
    await bench.running('again');
    await bench.deletePod('again');
    await until('unstaged', () => bench.mounts().length === 0);
  },
);
