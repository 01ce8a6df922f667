import { join } from 'node:path';
import test from 'ava';
import { setFailpoint } from '../../../../linux/failpoint.ts';
import { isMountPoint, mountsBelow, unmountBelow } from '../../../../linux/mount-info.ts';
import { until } from '../../../environment.ts';
import { listed, startStorageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

const noAttach = { driverSpec: { attachRequired: false } };
const stays = () => new Promise<never>(() => undefined);

const unstaged = (bench: StorageBench) =>
  until('nothing is mounted', () => mountsBelow(bench.rootDir).length === 0);

test.serial(
  'a kubelet that comes back takes mounted volumes over without a call, also while the driver is down',
  async (t) => {
    const bench = await startStorageBench(t);
    const { driver } = bench;
    await bench.makeVolume('data');
    await bench.attach('data');
    await bench.makePod('stays', ['data']);
    await bench.running('stays');
    const before = bench.mounts();
    await driver.down();
    await bench.restartKubelet();
    await bench.makePod('other', []);
    await bench.running('other');
    t.deepEqual(driver.rpcs(), ['stage', 'publish']);
    t.deepEqual(bench.mounts(), before);
    t.deepEqual(await bench.volumesInUse(), [`kubernetes.io/csi/${driver.name}^handle-data`]);

    // Its Pod is deleted while there is no driver: the volume waits for it, and goes when it comes.
    await bench.client.request({ method: 'DELETE', path: '/api/v1/namespaces/default/pods/stays' });
    await bench.client.request({ method: 'DELETE', path: '/api/v1/namespaces/default/pods/other' });
    await bench.gone('other');
    t.deepEqual(bench.mounts(), before);
    await driver.up();
    await bench.gone('stays');
    await unstaged(bench);
    t.deepEqual(driver.rpcs(), ['stage', 'publish', 'unpublish', 'unstage']);
  },
);

test.serial(
  'what a Pod had that was deleted while the kubelet was away is unpublished, then unstaged',
  async (t) => {
    const bench = await startStorageBench(t, noAttach);
    const { driver, client } = bench;
    await bench.makeVolume('data');
    await bench.makePod('goes', ['data']);
    await bench.running('goes');
    await bench.kubelet.stop();
    await client.request({
      method: 'DELETE',
      path: '/api/v1/namespaces/default/pods/goes?gracePeriodSeconds=0',
    });
    await bench.gone('goes');
    await bench.restartKubelet();
    await unstaged(bench);
    t.deepEqual(driver.rpcs(), ['stage', 'publish', 'unpublish', 'unstage']);
  },
);

test.serial(
  'mounts that are gone without a reboot are made again, and nothing is taken for granted',
  async (t) => {
    const bench = await startStorageBench(t, noAttach);
    const { driver, rootDir } = bench;
    await bench.makeVolume('data');
    const pod = await bench.makePod('one', ['data']);
    await bench.running('one');
    const before = bench.mounts();
    await bench.kubelet.stop();
    unmountBelow(rootDir);
    await bench.restartKubelet();
    await until('mounted again', () => bench.mounts().length === before.length);
    t.deepEqual(bench.mounts().toSorted(), before.toSorted());
    t.true(isMountPoint(join(rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/data/mount`)));
    t.deepEqual(driver.rpcs(), ['stage', 'publish', 'stage', 'publish']);
    await bench.deletePod('one');
    await unstaged(bench);
  },
);

for (const point of [
  'kubelet.stage.before-call',
  'kubelet.stage.after-call',
  'kubelet.publish.before-call',
  'kubelet.publish.after-call',
]) {
  test.serial(`a kubelet that dies at ${point} leaves nothing behind when the Pod is gone`, async (t) => {
    const bench = await startStorageBench(t, noAttach);
    const { client, rootDir, driver } = bench;
    await bench.makeVolume('data');
    let reached = false;
    const dead = setFailpoint(point, () => {
      reached = true;
      return stays();
    });
    await bench.makePod('unlucky', ['data']);
    await until('the point', () => reached);
    await bench.kubelet.stop();
    dead[Symbol.dispose]();
    await client.request({
      method: 'DELETE',
      path: '/api/v1/namespaces/default/pods/unlucky?gracePeriodSeconds=0',
    });
    await bench.gone('unlucky');
    await bench.restartKubelet();
    await until('unstaged by the driver', () => driver.rpcs().at(-1) === 'unstage');
    await unstaged(bench);
    await until(
      'no notes',
      () => listed(join(rootDir, 'plugins/kubernetes.io/csi', driver.name)).length === 0,
    );
    await until('no folder', () => listed(join(rootDir, 'pods')).length === 0);
    t.deepEqual(await bench.volumesInUse(), []);
  });

  test.serial(`a kubelet that dies at ${point} brings the Pod up when it is back`, async (t) => {
    const bench = await startStorageBench(t, noAttach);
    const { driver } = bench;
    await bench.makeVolume('data');
    let reached = false;
    const dead = setFailpoint(point, () => {
      reached = true;
      return stays();
    });
    const pod = await bench.makePod('lucky', ['data']);
    await until('the point', () => reached);
    await bench.kubelet.stop();
    dead[Symbol.dispose]();
    await bench.restartKubelet();
    await bench.running('lucky');
    const target = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/data/mount`);
    t.true(isMountPoint(target));
    t.is(bench.mounts().length, 2);
    // A stage that was done to its end is not done again.
    if (point.startsWith('kubelet.publish')) t.is(driver.rpcs().filter((rpc) => rpc === 'stage').length, 1);
    await bench.deletePod('lucky');
    await unstaged(bench);
    t.is(driver.rpcs().at(-1), 'unstage');
  });
}
