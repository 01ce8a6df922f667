import anyTest from 'ava';
import type { TestFn } from 'ava';
import { annotations, finalizers } from '../../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../../csi/snapshots/resources.ts';
import { setFailpoint } from '../../../../linux/failpoint.ts';
import { until } from '../../../environment.ts';
import { ofClaim, startSnapshotCluster } from '../../snapshots/snapshot-cluster.ts';
import type { SnapshotCluster } from '../../snapshots/snapshot-cluster.ts';

const test = anyTest as TestFn<SnapshotCluster>;

test.beforeEach(async (t) => {
  t.context = await startSnapshotCluster();
  await t.context.createClass({ name: 'plain' });
  await t.context.boundClaim('data');
});
test.afterEach.always((t) => t.context.stop());

test.serial('each half goes on with what the other one did before it died', async (t) => {
  const { stopControllers, startControllers, createSnapshot, content, whenGone, driver } = t.context;
  await stopControllers();
  startControllers('common');
  const { metadata } = await createSnapshot('s', ofClaim('data', 'plain'));
  const name = `snapcontent-${metadata?.uid ?? ''}`;
  await until(
    'the snapshot is bound',
    async () => (await t.context.snapshot('s'))?.status?.boundVolumeSnapshotContentName === name,
  );
  await stopControllers();
  startControllers('sidecar');
  await until('the content is ready', async () => (await content(name))?.status?.readyToUse === true);
  await stopControllers();
  startControllers('common');
  await t.context.whenReady('s');

  await t.context.deleteSnapshot('s');
  await until('it goes', async () => (await content(name))?.metadata?.deletionTimestamp !== undefined);
  await stopControllers();
  t.is(driver.snapshots.size, 1);
  startControllers('sidecar');
  await whenGone(volumeSnapshotContents, name);
  t.is(driver.snapshots.size, 0);
  t.deepEqual((await t.context.snapshot('s'))?.metadata?.finalizers, [finalizers.snapshotBound]);
  startControllers('common');
  await whenGone(volumeSnapshots, 's', 'default');
});

for (const point of ['before-create', 'after-create', 'after-status'])
  test.serial(`a sidecar that dies at ${point} takes no second snapshot`, async (t) => {
    const { stopControllers, startControllers, createSnapshot, driver } = t.context;
    const reached = Promise.withResolvers<void>();
    const stop = Promise.withResolvers<void>();
    {
      using _point = setFailpoint(`csi.snapshotter.${point}`, async () => {
        reached.resolve();
        await stop.promise;
        throw new Error('the process is dead');
      });
      await createSnapshot('s', ofClaim('data', 'plain'));
      await reached.promise;
      const stopped = stopControllers();
      stop.resolve();
      await stopped;
    }
    const snapshot = await t.context.snapshot('s');
    const name = `snapcontent-${snapshot?.metadata?.uid ?? ''}`;
    t.is((await t.context.content(name))?.metadata?.annotations?.[annotations.beingCreated], 'yes');
    startControllers();
    await t.context.whenReady('s');
    await until(
      'nobody is making it any more',
      async () =>
        (await t.context.content(name))?.metadata?.annotations?.[annotations.beingCreated] === undefined,
    );
    t.deepEqual([...driver.snapshots.keys()], [`id-of-snapshot-${snapshot?.metadata?.uid ?? ''}`]);
    await t.context.deleteSnapshot('s');
    await t.context.whenGone(volumeSnapshots, 's', 'default');
    t.is(driver.snapshots.size, 0);
  });

for (const point of ['before-delete', 'after-delete'])
  test.serial(`a sidecar that dies at ${point} leaves nothing`, async (t) => {
    const { stopControllers, startControllers, createSnapshot, driver } = t.context;
    await createSnapshot('s', ofClaim('data', 'plain'));
    await t.context.whenReady('s');
    const reached = Promise.withResolvers<void>();
    const stop = Promise.withResolvers<void>();
    {
      using _point = setFailpoint(`csi.snapshotter.${point}`, async () => {
        reached.resolve();
        await stop.promise;
        throw new Error('the process is dead');
      });
      await t.context.deleteSnapshot('s');
      await reached.promise;
      const stopped = stopControllers();
      stop.resolve();
      await stopped;
    }
    t.truthy(await t.context.snapshot('s'));
    startControllers();
    await t.context.whenGone(volumeSnapshots, 's', 'default');
    t.is(driver.snapshots.size, 0);
  });
