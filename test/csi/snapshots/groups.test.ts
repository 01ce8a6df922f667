import anyTest from 'ava';
import type { TestFn } from 'ava';
import { CsiError } from '../../../csi/error.ts';
import { annotations, finalizers, memberNames } from '../../../csi/snapshots/names.ts';
import {
  volumeGroupSnapshotClasses,
  volumeGroupSnapshotContents,
  volumeGroupSnapshots,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../csi/snapshots/resources.ts';
import type { VolumeGroupSnapshot, VolumeGroupSnapshotClass } from '../../../csi/snapshots/types.ts';
import { until } from '../../environment.ts';
import { driverName } from './fake-driver.ts';
import { startSnapshotCluster } from './snapshot-cluster.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

const test = anyTest as TestFn<SnapshotCluster>;

test.before(async (t) => {
  t.context = await startSnapshotCluster({ snapshotter: { retryMaxMs: 200 } });
});
test.after.always((t) => t.context.stop());

const createGroupClass = (
  { client }: SnapshotCluster,
  {
    name,
    isDefault = false,
    ...rest
  }: Partial<VolumeGroupSnapshotClass> & { name: string; isDefault?: boolean },
) =>
  client.resource(volumeGroupSnapshotClasses).create({
    object: {
      apiVersion: 'groupsnapshot.storage.k8s.io/v1',
      kind: 'VolumeGroupSnapshotClass',
      metadata: {
        name,
        annotations: isDefault ? { 'groupsnapshot.storage.kubernetes.io/is-default-class': 'true' } : {},
      },
      deletionPolicy: 'Delete',
      driver: driverName,
      ...rest,
    },
  });

const createGroup = ({ client }: SnapshotCluster, name: string, spec: VolumeGroupSnapshot['spec']) =>
  client.resource(volumeGroupSnapshots).create({
    object: {
      apiVersion: 'groupsnapshot.storage.k8s.io/v1',
      kind: 'VolumeGroupSnapshot',
      metadata: { name, namespace: 'default' },
      spec,
    },
  });

const ofLabel = (app: string, volumeGroupSnapshotClassName?: string): VolumeGroupSnapshot['spec'] => ({
  source: { selector: { matchLabels: { app } } },
  ...(volumeGroupSnapshotClassName === undefined ? {} : { volumeGroupSnapshotClassName }),
});

const whenGroup = (
  { found }: SnapshotCluster,
  name: string,
  what: string,
  holds: (group: VolumeGroupSnapshot) => boolean,
) =>
  until(`group ${name} ${what}`, async () => {
    const group = await found(volumeGroupSnapshots, name, 'default');
    return group !== undefined && holds(group) && group;
  });

const whenGroupReady = (cluster: SnapshotCluster, name: string) =>
  whenGroup(cluster, name, 'is ready', ({ status }) => status?.readyToUse === true);

const whenGroupFailed = (cluster: SnapshotCluster, name: string, message: RegExp) =>
  whenGroup(cluster, name, `says ${String(message)}`, ({ status }) =>
    message.test(status?.error?.message ?? ''),
  );

test.serial(
  'all claims of a label are snapshotted in one call, each with a snapshot of its own',
  async (t) => {
    const { driver, boundClaim, snapshot, content, found } = t.context;
    await createGroupClass(t.context, { name: 'grouped', isDefault: true, parameters: { speed: 'fast' } });
    await boundClaim('db', { labels: { app: 'shop' } });
    await boundClaim('log', { labels: { app: 'shop' } });
    await boundClaim('other', { labels: { app: 'blog' } });
    const { metadata } = await createGroup(t.context, 'shop', ofLabel('shop'));
    const uid = metadata?.uid ?? '';
    const group = await whenGroupReady(t.context, 'shop');
    t.is(group.spec.volumeGroupSnapshotClassName, 'grouped');
    t.deepEqual(group.status, {
      boundVolumeGroupSnapshotContentName: `groupsnapcontent-${uid}`,
      creationTime: '2023-11-14T22:13:20Z',
      readyToUse: true,
    });
    t.deepEqual(driver.callsOf('createVolumeGroupSnapshot'), [
      {
        name: `groupsnapshot-${uid}`,
        sourceVolumeIds: ['volume-db', 'volume-log'],
        secrets: {},
        parameters: { speed: 'fast' },
      },
    ]);
    const told = await t.context.whenTold('shop', 'GroupSnapshotReady');
    t.deepEqual(told, [
      'CreatingGroupSnapshot: Waiting for a group snapshot default/shop to be created by the CSI driver.',
      'GroupSnapshotCreated: GroupSnapshot default/shop was successfully created by the CSI driver.',
      'GroupSnapshotReady: GroupSnapshot default/shop is ready to use.',
    ]);
    const groupContent = await found(volumeGroupSnapshotContents, `groupsnapcontent-${uid}`);
    t.is(groupContent?.status?.volumeGroupSnapshotHandle, `id-of-groupsnapshot-${uid}`);
    t.deepEqual(
      groupContent?.status?.volumeSnapshotInfoList?.map(({ volumeHandle }) => volumeHandle),
      ['volume-db', 'volume-log'],
    );

    for (const claim of ['db', 'log']) {
      const names = memberNames(uid, `volume-${claim}`);
      const member = await t.context.whenReady(names.snapshot);
      t.deepEqual(member.spec, { source: { persistentVolumeClaimName: claim } });
      t.deepEqual(member.status, {
        boundVolumeSnapshotContentName: names.content,
        creationTime: '2023-11-14T22:13:20Z',
        readyToUse: true,
        restoreSize: '3Gi',
        volumeGroupSnapshotName: 'shop',
      });
      t.deepEqual(member.metadata?.ownerReferences, [
        { apiVersion: 'groupsnapshot.storage.k8s.io/v1', kind: 'VolumeGroupSnapshot', name: 'shop', uid },
      ]);
      const of = await content(names.content);
      t.is(of?.metadata?.annotations?.[annotations.groupHandle], `id-of-groupsnapshot-${uid}`);
      t.is(of?.status?.snapshotHandle, `id-of-groupsnapshot-${uid}-volume-${claim}`);
    }
    t.deepEqual(driver.callsOf('createSnapshot'), []);

    // A member doesn't go alone.
    const { snapshot: first, content: firstContent } = memberNames(uid, 'volume-db');
    await until('the member is held', async () =>
      (await snapshot(first))?.metadata?.finalizers?.includes(finalizers.snapshotBound),
    );
    await t.context.deleteSnapshot(first);
    t.true(
      (await t.context.whenTold(first, 'SnapshotDeletePending')).some((text) =>
        text.startsWith(
          `SnapshotDeletePending: deletion of the individual volume snapshot default/${first} is not allowed as it belongs to group snapshot default/shop.`,
        ),
      ),
    );

    await t.context.client.resource(volumeGroupSnapshots).delete({ name: 'shop', namespace: 'default' });
    await t.context.whenGone(volumeGroupSnapshots, 'shop', 'default');
    for (const claim of ['db', 'log']) {
      const names = memberNames(uid, `volume-${claim}`);
      await t.context.whenGone(volumeSnapshots, names.snapshot, 'default');
      await t.context.whenGone(volumeSnapshotContents, names.content);
    }
    t.is(await content(firstContent), undefined);
    t.is(await found(volumeGroupSnapshotContents, `groupsnapcontent-${uid}`), undefined);
    t.is(driver.snapshots.size, 0);
    t.deepEqual(driver.callsOf('deleteSnapshot'), []);
    const [deletion] = driver.callsOf('deleteVolumeGroupSnapshot');
    t.deepEqual(deletion, {
      groupSnapshotId: `id-of-groupsnapshot-${uid}`,
      snapshotIds: [`id-of-groupsnapshot-${uid}-volume-db`, `id-of-groupsnapshot-${uid}-volume-log`],
      secrets: {},
    });
  },
);

test.serial('with Retain the contents and the snapshots stay', async (t) => {
  const { driver, boundClaim, content, found, client } = t.context;
  await createGroupClass(t.context, { name: 'kept', deletionPolicy: 'Retain' });
  await boundClaim('kept', { labels: { app: 'kept' } });
  const { metadata } = await createGroup(t.context, 'kept', ofLabel('kept', 'kept'));
  const uid = metadata?.uid ?? '';
  await whenGroupReady(t.context, 'kept');
  const names = memberNames(uid, 'volume-kept');
  await t.context.whenReady(names.snapshot);
  await client.resource(volumeGroupSnapshots).delete({ name: 'kept', namespace: 'default' });
  await t.context.whenGone(volumeGroupSnapshots, 'kept', 'default');
  await t.context.whenGone(volumeSnapshots, names.snapshot, 'default');
  t.is((await content(names.content))?.metadata?.deletionTimestamp, undefined);
  const left = await found(volumeGroupSnapshotContents, `groupsnapcontent-${uid}`);
  t.is(left?.metadata?.annotations?.[annotations.groupBeingDeleted], 'yes');
  t.true(driver.groups.has(`id-of-groupsnapshot-${uid}`));
});

test.serial('what a group snapshot lacks is told', async (t) => {
  const { client, driver, boundClaim } = t.context;
  await createGroup(t.context, 'nobody', ofLabel('nobody', 'grouped'));
  await whenGroupFailed(
    t.context,
    'nobody',
    /^failed to create group snapshot content with error failed to get input parameters to create group snapshot nobody: "label selector app=nobody for group snapshot not applied to any PVC"$/,
  );
  await createGroup(t.context, 'classless', ofLabel('nobody', 'unheard-of'));
  await whenGroupFailed(
    t.context,
    'classless',
    /^failed to get group snapshot class with error volumegroupsnapshotclass\.groupsnapshot\.storage\.k8s\.io "unheard-of" not found$/,
  );
  await boundClaim('mixed-1', { labels: { app: 'mixed' } });
  await boundClaim('mixed-2', { labels: { app: 'mixed' }, driver: 'other.example.com' });
  await createGroup(t.context, 'mixed', ofLabel('mixed', 'grouped'));
  await whenGroupFailed(
    t.context,
    'mixed',
    new RegExp(
      `Volume CSI driver \\(other\\.example\\.com\\) mismatch with VolumeGroupSnapshotClass \\(${driverName}\\) default/mixed: pv-mixed-2$`,
    ),
  );
  await boundClaim('failing', { labels: { app: 'failing' } });
  driver.fail('createVolumeGroupSnapshot', new CsiError('INTERNAL', 'a'), new CsiError('INTERNAL', 'b'));
  await createGroup(t.context, 'failing', ofLabel('failing', 'grouped'));
  const ready = await whenGroupReady(t.context, 'failing');
  t.is(ready.status?.error, undefined);
  const contentName = ready.status?.boundVolumeGroupSnapshotContentName ?? '';
  t.true(
    (await t.context.whenTold(contentName, 'GroupSnapshotCreationFailed')).includes(
      'GroupSnapshotCreationFailed: Failed to create group snapshot: failed to take group snapshot of the volumes [volume-failing]: "rpc error: code = Internal desc = a"',
    ),
  );
  for (const name of ['nobody', 'classless', 'mixed', 'failing']) {
    await client.resource(volumeGroupSnapshots).delete({ name, namespace: 'default' });
    await t.context.whenGone(volumeGroupSnapshots, name, 'default');
  }
});

test.serial('a group that takes its time is asked for until it is ready', async (t) => {
  const { driver, boundClaim } = t.context;
  driver.staysUnreadyFor(2);
  await boundClaim('slow', { labels: { app: 'slow' } });
  const { metadata } = await createGroup(t.context, 'slow', ofLabel('slow', 'grouped'));
  await whenGroupReady(t.context, 'slow');
  driver.staysUnreadyFor(0);
  const names = memberNames(metadata?.uid ?? '', 'volume-slow');
  const member = await t.context.whenReady(names.snapshot);
  t.is(member.status?.volumeGroupSnapshotName, 'slow');
});

test.serial('a group snapshot that exists is bound, and its members are adopted', async (t) => {
  const { client, driver, snapshot } = t.context;
  const members = ['g-1', 'g-2'];
  for (const id of members) driver.addSnapshot(id);
  const known = members.flatMap((id) => driver.snapshots.get(id) ?? []);
  for (const member of known) driver.snapshots.set(member.snapshotId, { ...member, groupSnapshotId: 'g' });
  driver.groups.set('g', {
    groupSnapshotId: 'g',
    snapshots: known,
    creationTime: { seconds: 1_600_000_000, nanos: 0 },
    readyToUse: true,
  });
  await client.resource(volumeGroupSnapshotContents).create({
    object: {
      apiVersion: 'groupsnapshot.storage.k8s.io/v1',
      kind: 'VolumeGroupSnapshotContent',
      metadata: { name: 'old-group' },
      spec: {
        deletionPolicy: 'Delete',
        driver: driverName,
        source: { groupSnapshotHandles: { volumeGroupSnapshotHandle: 'g', volumeSnapshotHandles: members } },
        volumeGroupSnapshotRef: { name: 'old-group', namespace: 'default' },
      },
    },
  });
  const { metadata } = await createGroup(t.context, 'old-group', {
    source: { volumeGroupSnapshotContentName: 'old-group' },
  });
  const { status } = await whenGroupReady(t.context, 'old-group');
  t.deepEqual(status, {
    boundVolumeGroupSnapshotContentName: 'old-group',
    creationTime: '2020-09-13T12:26:40Z',
    readyToUse: true,
  });
  for (const id of members) {
    await t.context.createContent(id, {
      deletionPolicy: 'Delete',
      driver: driverName,
      source: { snapshotHandle: id },
      volumeSnapshotRef: { name: id, namespace: 'default' },
    });
    await t.context.createSnapshot(id, { source: { volumeSnapshotContentName: id } });
    await t.context.whenReady(id);
    await until(
      `${id} is adopted`,
      async () => (await snapshot(id))?.metadata?.ownerReferences?.[0]?.uid === metadata?.uid,
    );
  }
  await client.resource(volumeGroupSnapshots).delete({ name: 'old-group', namespace: 'default' });
  await t.context.whenGone(volumeGroupSnapshots, 'old-group', 'default');
  for (const id of members) await t.context.whenGone(volumeSnapshots, id, 'default');
  t.false(driver.groups.has('g'));
  t.false(members.some((id) => driver.snapshots.has(id)));
});
