import anyTest from 'ava';
import type { TestFn } from 'ava';
import { annotations, finalizers } from '../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../csi/snapshots/resources.ts';
import type { VolumeSnapshotContent } from '../../../csi/snapshots/types.ts';
import { until } from '../../environment.ts';
import { driverName } from './fake-driver.ts';
import { ofClaim, startSnapshotCluster } from './snapshot-cluster.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

const test = anyTest as TestFn<SnapshotCluster>;

test.before(async (t) => {
  t.context = await startSnapshotCluster();
  await t.context.createClass({ name: 'plain' });
});
test.after.always((t) => t.context.stop());

const contentOf = (
  snapshotHandle: string,
  snapshotName: string,
  deletionPolicy: 'Delete' | 'Retain' = 'Delete',
): VolumeSnapshotContent['spec'] => ({
  deletionPolicy,
  driver: driverName,
  source: { snapshotHandle },
  volumeSnapshotRef: { name: snapshotName, namespace: 'default' },
});

const ofContent = (volumeSnapshotContentName: string) => ({ source: { volumeSnapshotContentName } });

test('a content that is there is bound to the snapshot that names it', async (t) => {
  const { driver, content, createContent, createSnapshot } = t.context;
  driver.addSnapshot('old-1');
  await createContent('old-1', contentOf('old-1', 'adopts-1'));
  const { metadata } = await createSnapshot('adopts-1', {
    ...ofContent('old-1'),
    volumeSnapshotClassName: 'plain',
  });
  const { status } = await t.context.whenReady('adopts-1');
  t.deepEqual(status, {
    boundVolumeSnapshotContentName: 'old-1',
    creationTime: '2020-09-13T12:26:40Z',
    readyToUse: true,
    restoreSize: '1Gi',
  });
  const bound = await content('old-1');
  t.is(bound?.spec.volumeSnapshotRef.uid, metadata?.uid);
  t.is(bound?.spec.volumeSnapshotClassName, 'plain');
  await until('the content is held', async () =>
    (await content('old-1'))?.metadata?.finalizers?.includes(finalizers.contentBound),
  );
  const isOfIt = (request: unknown) => JSON.stringify(request).includes(metadata?.uid ?? '');
  t.deepEqual(driver.callsOf('createSnapshot').filter(isOfIt), []);

  await t.context.deleteSnapshot('adopts-1');
  await t.context.whenGone(volumeSnapshots, 'adopts-1', 'default');
  await t.context.whenGone(volumeSnapshotContents, 'old-1');
  t.false(driver.snapshots.has('old-1'));
});

test('a snapshot waits for the content that it names', async (t) => {
  const { driver, createContent, createSnapshot, whenFailed } = t.context;
  driver.addSnapshot('old-2');
  await createSnapshot('adopts-2', ofContent('old-2'));
  await whenFailed('adopts-2', 'VolumeSnapshotContent is missing');
  t.true(
    (await t.context.whenTold('adopts-2', 'SnapshotContentMissing')).includes(
      'SnapshotContentMissing: VolumeSnapshotContent is missing',
    ),
  );
  await createContent('old-2', contentOf('old-2', 'adopts-2', 'Retain'));
  const { status } = await t.context.whenReady('adopts-2');
  t.is(status?.error, undefined);

  await t.context.deleteSnapshot('adopts-2');
  await t.context.whenGone(volumeSnapshots, 'adopts-2', 'default');
  t.is((await t.context.content('old-2'))?.metadata?.annotations?.[annotations.beingDeleted], 'yes');
  t.true(driver.snapshots.has('old-2'));
});

test('a handle that the driver doesn’t know is told on content and snapshot', async (t) => {
  const { driver, createContent, createSnapshot, content, whenFailed } = t.context;
  await createContent('unknown', contentOf('unknown', 'adopts-3'));
  await createSnapshot('adopts-3', ofContent('unknown'));
  const message =
    'Failed to check and update snapshot content: failed to list snapshot for content unknown: "can not find snapshot for snapshotID unknown"';
  const { status } = await whenFailed('adopts-3', message);
  t.is(status?.readyToUse, false);
  t.is((await content('unknown'))?.status?.error?.message, message);
  t.true(
    (await t.context.whenTold('unknown', 'SnapshotContentCheckandUpdateFailed')).includes(
      `SnapshotContentCheckandUpdateFailed: ${message}`,
    ),
  );
  driver.addSnapshot('unknown');
  const ready = await t.context.whenReady('adopts-3');
  t.is(ready.status?.error, undefined);
  t.is((await content('unknown'))?.status?.error, undefined);
});

test('a content of another snapshot is refused', async (t) => {
  const { driver, createContent, createSnapshot, whenFailed } = t.context;
  driver.addSnapshot('taken');
  await createContent('taken', contentOf('taken', 'somebody'));
  await createSnapshot('thief', ofContent('taken'));
  const message = 'VolumeSnapshotContent [taken] is bound to a different snapshot';
  await whenFailed('thief', message);
  const told = await t.context.whenTold('thief', 'SnapshotFinalizerError');
  t.true(told.includes(`SnapshotContentMisbound: ${message}`));
  t.true(told.includes(`SnapshotFinalizerError: Failed to check and update snapshot: ${message}`));
  await t.context.deleteSnapshot('thief');
  await t.context.whenGone(volumeSnapshots, 'thief', 'default');
  t.true(driver.snapshots.has('taken'));
  t.is((await t.context.content('taken'))?.metadata?.deletionTimestamp, undefined);
});

test('a content that was made for another snapshot is no source', async (t) => {
  const { boundClaim, createSnapshot, whenFailed } = t.context;
  await boundClaim('maker');
  const { metadata } = await createSnapshot('maker', ofClaim('maker', 'plain'));
  await t.context.whenReady('maker');
  await createSnapshot('taker', ofContent(`snapcontent-${metadata?.uid ?? ''}`));
  await whenFailed(
    'taker',
    'VolumeSnapshotContent is dynamically provisioned while expecting a pre-provisioned one',
  );
  t.pass();
});

test('a snapshot of the same name is not the one that the content belonged to', async (t) => {
  const { driver, createContent, createSnapshot, whenFailed } = t.context;
  driver.addSnapshot('again');
  await createContent('again', contentOf('again', 'again', 'Retain'));
  await createSnapshot('again', ofContent('again'));
  await t.context.whenReady('again');
  await t.context.deleteSnapshot('again');
  await t.context.whenGone(volumeSnapshots, 'again', 'default');
  await createSnapshot('again', ofContent('again'));
  await whenFailed('again', 'VolumeSnapshotContent [again] is bound to a different snapshot');
  t.pass();
});

test('a content that nobody was bound to goes with its snapshot', async (t) => {
  const { client, driver, createContent, content } = t.context;
  driver.addSnapshot('lonely');
  await createContent('lonely', contentOf('lonely', 'nobody'));
  await until('it is known', async () => (await content('lonely'))?.status?.readyToUse === true);
  await client.resource(volumeSnapshotContents).delete({ name: 'lonely' });
  await t.context.whenGone(volumeSnapshotContents, 'lonely');
  t.pass();
});

test('a snapshot that loses its content says so', async (t) => {
  const { client, driver, createContent, createSnapshot, whenFailed } = t.context;
  driver.addSnapshot('lost');
  await createContent('lost', contentOf('lost', 'lost', 'Retain'));
  await createSnapshot('lost', ofContent('lost'));
  await t.context.whenReady('lost');
  await until('the content is held', async () =>
    (await t.context.content('lost'))?.metadata?.finalizers?.includes(finalizers.contentBound),
  );
  const contents = client.resource(volumeSnapshotContents);
  await contents.delete({ name: 'lost' });
  // Somebody who knows better takes it by force.
  await contents.patch({ name: 'lost', type: 'merge', patch: { metadata: { finalizers: null } } });
  const { status } = await whenFailed('lost', 'VolumeSnapshotContent is missing');
  t.is(status?.readyToUse, false);
});
