import test from 'ava';
import type { ExecutionContext } from 'ava';
import { events, persistentVolumeClaims, persistentVolumes } from '../../../../client/resources.ts';
import { installSnapshotCrds } from '../../../../csi/snapshots/install-crds.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../../csi/snapshots/resources.ts';
import type { VolumeSnapshotContent } from '../../../../csi/snapshots/types.ts';
import { bind, createClaim, createClass, driverName, startRig } from '../../sidecars-rig.ts';
import type { Rig } from '../../sidecars-rig.ts';

const protection = 'provisioner.storage.kubernetes.io/volumesnapshot-as-source-protection';
const dataSource = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'before' };
const prefix = 'error getting handle for DataSource Type VolumeSnapshot by Name before: ';

const startWithSnapshots = async (t: ExecutionContext) => {
  const rig = await startRig(t);
  await installSnapshotCrds({ client: rig.client });
  await createClass(rig);
  return rig;
};

/** A snapshot of 1Gi as the snapshot controllers leave it, except for these fields of the content. */
const createSnapshot = async (
  { client }: Rig,
  {
    readyToUse = true,
    annotations = {},
    ...content
  }: Partial<VolumeSnapshotContent['spec']> & {
    readyToUse?: boolean;
    annotations?: Record<string, string>;
  } = {},
) => {
  const snapshots = client.resource(volumeSnapshots);
  const contents = client.resource(volumeSnapshotContents);
  const snapshot = await snapshots.create({
    object: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name: 'before', namespace: 'default' },
      spec: { source: { persistentVolumeClaimName: 'gone' } },
    },
  });
  await contents.create({
    object: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotContent',
      metadata: { name: 'content', annotations },
      spec: {
        deletionPolicy: 'Delete',
        driver: driverName,
        source: { volumeHandle: 'v' },
        volumeSnapshotRef: { name: 'before', namespace: 'default', uid: snapshot.metadata?.uid ?? '' },
        ...content,
      },
    },
  });
  const patchStatus = (status: object, name: string) => ({
    name,
    type: 'merge' as const,
    subresource: 'status',
    patch: { status },
  });
  await contents.patch(patchStatus({ snapshotHandle: 'snap-1', readyToUse: true }, 'content'));
  const setReady = (ready: boolean) =>
    snapshots.patch({
      ...patchStatus(
        { boundVolumeSnapshotContentName: 'content', restoreSize: '1Gi', readyToUse: ready },
        'before',
      ),
      namespace: 'default',
    });
  await setReady(readyToUse);
  return { snapshot, setReady };
};

test('a claim is restored as soon as its snapshot is ready, which is kept until then', async (t) => {
  const rig = await startWithSnapshots(t);
  const { setReady } = await createSnapshot(rig, { readyToUse: false });
  const claim = await createClaim(rig, 'data', { dataSource, resources: { requests: { storage: '2Gi' } } });
  t.is(await rig.eventOf('data', 'ProvisioningFailed'), `${prefix}snapshot before is not Ready`);
  await setReady(true);
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  t.like(rig.driver.asked('createVolume')[0], {
    capacityRange: { requiredBytes: 2 * 2 ** 30 },
    volumeContentSource: { snapshot: { snapshotId: 'snap-1' } },
  });
  const held = await rig.seen(volumeSnapshots, 'default/before', () => true);
  t.deepEqual(held.metadata?.finalizers, [protection]);
  await bind(rig, claim);
  await rig.seen(volumeSnapshots, 'default/before', ({ metadata }) => metadata?.finalizers === undefined);
});

test('a snapshot is let go when the claims that waited for it are deleted, also while nobody looked', async (t) => {
  const rig = await startWithSnapshots(t);
  await createSnapshot(rig);
  await rig.client.resource(volumeSnapshots).patch({
    name: 'before',
    namespace: 'default',
    type: 'merge',
    patch: { metadata: { finalizers: [protection] } },
  });
  await rig.restartSidecars();
  await rig.seen(volumeSnapshots, 'default/before', ({ metadata }) => metadata?.finalizers === undefined);
  t.pass();
});

test('a claim that is too small, or of another mode, is refused', async (t) => {
  const rig = await startWithSnapshots(t);
  await createSnapshot(rig, { sourceVolumeMode: 'Filesystem' });
  await createClaim(rig, 'small', { dataSource, resources: { requests: { storage: '1Mi' } } });
  t.is(
    await rig.eventOf('small', 'ProvisioningFailed'),
    `${prefix}requested volume size 1048576 is less than the size 1073741824 for the source snapshot before`,
  );
  const block = await createClaim(rig, 'block', { dataSource, volumeMode: 'Block' });
  t.is(
    await rig.eventOf('block', 'ProvisioningFailed'),
    `${prefix}requested volume default/block modifies the mode of the source volume but does not have permission to do so. snapshot.storage.kubernetes.io/allow-volume-mode-change annotation is not present on snapshotcontent content`,
  );
  await rig.client.resource(volumeSnapshotContents).patch({
    name: 'content',
    type: 'merge',
    patch: {
      metadata: { annotations: { 'snapshot.storage.kubernetes.io/allow-volume-mode-change': 'true' } },
    },
  });
  await rig.seen(persistentVolumes, `pvc-${block.metadata?.uid}`, () => true);
});

test('a snapshot that is not there, or of another driver, is told', async (t) => {
  const rig = await startWithSnapshots(t);
  await createClaim(rig, 'data', { dataSource });
  t.is(
    await rig.eventOf('data', 'ProvisioningFailed'),
    `${prefix}error getting snapshot before from api server: volumesnapshots.snapshot.storage.k8s.io "before" not found`,
  );
  await createSnapshot(rig, { driver: 'other.example.com' });
  t.is(
    await rig.eventOf('data', 'ProvisioningFailed', /different|handled/),
    `${prefix}snapshotcontent content for snapshot before is not handled by CSI driver of StorageClass fast`,
  );
});

test('other kinds of sources are left to populators', async (t) => {
  const rig = await startWithSnapshots(t);
  await createClaim(rig, 'data', {
    dataSourceRef: { apiGroup: 'example.com', kind: 'Backup', name: 'monday' },
  });
  t.is(
    await rig.eventOf('data', 'Provisioning', /populator/),
    'Assuming an external populator will provision the volume',
  );
  const { items } = await rig.client.resource(events).list({ namespace: 'default' });
  const told = items.find(({ message }) => message?.includes('populator'));
  t.is(told?.source?.component, 'external-provisioner');
  t.is(rig.driver.asked('createVolume').length, 0);
  t.deepEqual(
    (await rig.eventsOf('data')).filter(({ type }) => type === 'Warning'),
    [],
  );
});

test('with a Lease to hold, the sidecars work all the same', async (t) => {
  const rig = await startRig(t, { sidecars: { leaderElection: true } });
  await createClass(rig);
  const claim = await createClaim(rig, 'data');
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  await rig.restartSidecars();
  const next = await createClaim(rig, 'next');
  await rig.seen(persistentVolumes, `pvc-${next.metadata?.uid}`, () => true);
  t.is((await rig.get(persistentVolumeClaims, 'default/next'))?.status?.phase, 'Pending');
});
