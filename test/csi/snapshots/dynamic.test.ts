import anyTest from 'ava';
import type { TestFn } from 'ava';
import { persistentVolumeClaims, secrets } from '../../../client/resources.ts';
import { CsiError } from '../../../csi/error.ts';
import { annotations, finalizers } from '../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../csi/snapshots/resources.ts';
import { until } from '../../environment.ts';
import { driverName } from './fake-driver.ts';
import { ofClaim, startSnapshotCluster } from './snapshot-cluster.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

const test = anyTest as TestFn<SnapshotCluster>;

test.before(async (t) => {
  t.context = await startSnapshotCluster({ snapshotter: { extraCreateMetadata: true } });
  const { client, createClass } = t.context;
  await client.resource(secrets).create({
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key-of-whole', namespace: 'default' },
      data: { password: btoa('sesame') },
    },
  });
  const prefix = 'csi.storage.k8s.io/snapshotter-secret';
  await createClass({
    name: 'with-secret',
    isDefault: true,
    parameters: {
      speed: 'fast',
      [`${prefix}-name`]: 'key-of-${volumesnapshot.name}',
      [`${prefix}-namespace`]: '${volumesnapshot.namespace}',
    },
  });
  await createClass({ name: 'plain' });
  await createClass({ name: 'kept', deletionPolicy: 'Retain' });
  await createClass({ name: 'of-another-driver', driver: 'other.example.com', isDefault: true });
});
test.after.always((t) => t.context.stop());

test('a snapshot goes all the way from a claim to the driver and back, and is gone when it is deleted', async (t) => {
  const { driver, client, boundClaim, createSnapshot, content, claim } = t.context;
  await boundClaim('whole');
  const { metadata } = await createSnapshot('whole', ofClaim('whole'));
  const uid = metadata?.uid ?? '';
  const { spec, status } = await t.context.whenReady('whole');
  t.deepEqual(spec, {
    source: { persistentVolumeClaimName: 'whole' },
    volumeSnapshotClassName: 'with-secret',
  });
  t.deepEqual(status, {
    boundVolumeSnapshotContentName: `snapcontent-${uid}`,
    creationTime: '2023-11-14T22:13:20Z',
    readyToUse: true,
    restoreSize: '3Gi',
  });

  const bound = await content(`snapcontent-${uid}`);
  const { resourceVersion: _, ...ref } = bound?.spec.volumeSnapshotRef ?? {};
  t.deepEqual(
    { ...bound?.spec, volumeSnapshotRef: ref },
    {
      deletionPolicy: 'Delete',
      driver: driverName,
      source: { volumeHandle: 'volume-whole' },
      sourceVolumeMode: 'Filesystem',
      volumeSnapshotClassName: 'with-secret',
      volumeSnapshotRef: {
        apiVersion: 'snapshot.storage.k8s.io/v1',
        kind: 'VolumeSnapshot',
        name: 'whole',
        namespace: 'default',
        uid,
      },
    },
  );
  t.deepEqual(bound?.status, {
    creationTime: 1_700_000_000_123_456_000,
    readyToUse: true,
    restoreSize: 3 * 2 ** 30,
    snapshotHandle: `id-of-snapshot-${uid}`,
  });

  t.deepEqual(
    driver
      .callsOf('createSnapshot')
      .filter((request) => 'name' in request && request.name === `snapshot-${uid}`),
    [
      {
        name: `snapshot-${uid}`,
        sourceVolumeId: 'volume-whole',
        secrets: { password: 'sesame' },
        parameters: {
          speed: 'fast',
          'csi.storage.k8s.io/volumesnapshot/name': 'whole',
          'csi.storage.k8s.io/volumesnapshot/namespace': 'default',
          'csi.storage.k8s.io/volumesnapshotcontent/name': `snapcontent-${uid}`,
        },
      },
    ],
  );
  t.deepEqual(await t.context.whenTold('whole', 'SnapshotReady'), [
    'CreatingSnapshot: Waiting for a snapshot default/whole to be created by the CSI driver.',
    'SnapshotCreated: Snapshot default/whole was successfully created by the CSI driver.',
    'SnapshotReady: Snapshot default/whole is ready to use.',
  ]);

  await until('both finalizers on the snapshot', async () => {
    const held = (await t.context.snapshot('whole'))?.metadata?.finalizers ?? [];
    return held.includes(finalizers.snapshotAsSource) && held.includes(finalizers.snapshotBound);
  });
  await until('nobody is making it any more', async () => {
    const { metadata: settled } = (await content(`snapcontent-${uid}`)) ?? {};
    return settled?.annotations?.[annotations.beingCreated] === undefined;
  });
  await until(
    'the claim is let go',
    async () => (await claim('whole'))?.metadata?.finalizers?.includes(finalizers.claimAsSource) !== true,
  );

  await t.context.deleteSnapshot('whole');
  await t.context.whenGone(volumeSnapshots, 'whole', 'default');
  t.is(await content(`snapcontent-${uid}`), undefined);
  t.false(driver.snapshots.has(`id-of-snapshot-${uid}`));
  t.deepEqual(
    driver.callsOf('deleteSnapshot').filter((request) => JSON.stringify(request).includes(uid)),
    [{ snapshotId: `id-of-snapshot-${uid}`, secrets: { password: 'sesame' } }],
  );
  await t.notThrowsAsync(
    client.resource(persistentVolumeClaims).get({ name: 'whole', namespace: 'default' }),
  );
});

test('with Retain the content and the snapshot below it stay', async (t) => {
  const { driver, client, boundClaim, createSnapshot, content } = t.context;
  await boundClaim('kept');
  const { metadata } = await createSnapshot('kept', ofClaim('kept', 'kept'));
  const uid = metadata?.uid ?? '';
  await t.context.whenReady('kept');
  await t.context.deleteSnapshot('kept');
  await t.context.whenGone(volumeSnapshots, 'kept', 'default');
  const left = await content(`snapcontent-${uid}`);
  t.is(left?.metadata?.deletionTimestamp, undefined);
  t.is(left?.metadata?.annotations?.[annotations.beingDeleted], 'yes');
  t.is(left?.status?.readyToUse, true);
  t.true(driver.snapshots.has(`id-of-snapshot-${uid}`));

  await client.resource(volumeSnapshotContents).delete({ name: `snapcontent-${uid}` });
  await t.context.whenGone(volumeSnapshotContents, `snapcontent-${uid}`);
  t.true(driver.snapshots.has(`id-of-snapshot-${uid}`), 'the administrator took only the object');
});

test('a content that is deleted while its snapshot is there stays until the snapshot goes', async (t) => {
  const { client, boundClaim, createSnapshot, content } = t.context;
  await boundClaim('held');
  const { metadata } = await createSnapshot('held', ofClaim('held', 'plain'));
  await t.context.whenReady('held');
  const name = `snapcontent-${metadata?.uid ?? ''}`;
  await client.resource(volumeSnapshotContents).delete({ name });
  const deleting = await content(name);
  t.truthy(deleting?.metadata?.deletionTimestamp);
  t.deepEqual(deleting?.metadata?.finalizers, [finalizers.contentBound]);
  await t.context.deleteSnapshot('held');
  await t.context.whenGone(volumeSnapshots, 'held', 'default');
  t.is(await content(name), undefined);
});

test.serial('a snapshot that takes its time is asked for until it is ready', async (t) => {
  const { driver, boundClaim, createSnapshot } = t.context;
  await boundClaim('slow');
  driver.staysUnreadyFor(3);
  const { metadata } = await createSnapshot('slow', ofClaim('slow', 'plain'));
  const { status } = await until('it is taken', async () => {
    const now = await t.context.snapshot('slow');
    return now?.status?.creationTime !== undefined && now;
  });
  t.true(status?.restoreSize === '3Gi');
  await t.context.whenReady('slow');
  driver.staysUnreadyFor(0);
  t.deepEqual((await t.context.whenTold('slow', 'SnapshotReady')).slice(-2), [
    'SnapshotCreated: Snapshot default/slow was successfully created by the CSI driver.',
    'SnapshotReady: Snapshot default/slow is ready to use.',
  ]);
  const asked = driver
    .callsOf('createSnapshot')
    .filter((request) => JSON.stringify(request).includes(metadata?.uid ?? ''));
  t.true(asked.length >= 4);
});

test.serial('a claim that is being snapshotted is held', async (t) => {
  const { driver, client, boundClaim, createSnapshot, claim } = t.context;
  await boundClaim('busy');
  driver.fail('createSnapshot', ...Array.from({ length: 1000 }, () => new CsiError('ABORTED', 'busy')));
  await createSnapshot('busy', ofClaim('busy', 'plain'));
  const isHeld = async () =>
    (await claim('busy'))?.metadata?.finalizers?.includes(finalizers.claimAsSource) === true;
  await until('the claim is held', isHeld);
  await client.resource(persistentVolumeClaims).delete({ name: 'busy', namespace: 'default' });
  t.true(await isHeld());
  driver.fail('createSnapshot');
  await t.context.whenReady('busy');
  await until('the claim is let go', async () => !(await isHeld()));
});

test('a snapshot that a claim is being restored from stays until the claim has its volume', async (t) => {
  const { client, boundClaim, createSnapshot } = t.context;
  await boundClaim('source');
  await createSnapshot('source', ofClaim('source', 'plain'));
  await t.context.whenReady('source');
  const claims = client.resource(persistentVolumeClaims);
  await claims.create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'restored', namespace: 'default' },
      spec: {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '3Gi' } },
        dataSource: { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'source' },
      },
    },
  });
  await t.context.deleteSnapshot('source');
  const told = await t.context.whenTold('source', 'SnapshotDeletePending');
  t.true(told.includes('SnapshotDeletePending: Snapshot is being used to restore a PVC'));
  t.truthy(await t.context.snapshot('source'));
  const status = { phase: 'Bound' };
  const name = { name: 'restored', namespace: 'default' };
  await claims.patch({ ...name, subresource: 'status', type: 'merge', patch: { status } });
  await t.context.whenGone(volumeSnapshots, 'source', 'default');
});
