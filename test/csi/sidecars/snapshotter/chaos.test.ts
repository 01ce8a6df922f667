import test from 'ava';
import { persistentVolumeClaims } from '../../../../client/resources.ts';
import { CsiError } from '../../../../csi/error.ts';
import type { CodeName } from '../../../../csi/error.ts';
import { finalizers } from '../../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../../csi/snapshots/resources.ts';
import { setFailpoint } from '../../../../linux/failpoint.ts';
import { until } from '../../../environment.ts';
import { ofClaim, startSnapshotCluster } from '../../snapshots/snapshot-cluster.ts';

const codes: CodeName[] = [
  'ABORTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'RESOURCE_EXHAUSTED',
  'UNKNOWN',
];
const points = ['before-create', 'after-create', 'after-status', 'before-delete', 'after-delete'];
const kept = ['kept-0', 'kept-1', 'kept-2'];
const dropped = ['dropped-0', 'dropped-1', 'dropped-2'];

test('errors of the driver, errors at every step and deaths of both halves end well', async (t) => {
  const cluster = await startSnapshotCluster({ snapshotter: { retryMaxMs: 100 } });
  t.teardown(() => cluster.stop());
  const { client, driver } = cluster;
  const failures = () => codes.map((code) => new CsiError(code, 'chaos'));
  driver.fail('createSnapshot', ...failures(), ...failures());
  driver.fail('deleteSnapshot', ...failures());
  using disposables = new DisposableStack();
  for (const point of points) disposables.use(setFailpoint(`csi.snapshotter.${point}`, '3*error(chaos)'));

  await cluster.createClass({ name: 'plain', isDefault: true });
  await cluster.boundClaim('data');
  for (const name of [...kept, ...dropped]) {
    await cluster.createSnapshot(name, ofClaim('data'));
    await cluster.stopControllers();
    cluster.startControllers();
  }
  for (const name of dropped) {
    await cluster.deleteSnapshot(name);
    await cluster.stopControllers();
    cluster.startControllers();
  }

  for (const name of dropped) await cluster.whenGone(volumeSnapshots, name, 'default');
  for (const name of kept) await cluster.whenReady(name);
  const { items } = await client.resource(volumeSnapshots).list();
  const uids = items.map(({ metadata }) => metadata?.uid ?? '').toSorted();
  t.is(uids.length, kept.length);
  t.deepEqual(
    [...driver.snapshots.keys()].toSorted(),
    uids.map((uid) => `id-of-snapshot-${uid}`),
  );
  const contents = await client.resource(volumeSnapshotContents).list();
  t.deepEqual(
    contents.items.map(({ metadata }) => metadata?.name),
    uids.map((uid) => `snapcontent-${uid}`),
  );
  await until('the claim is let go', async () => {
    const claim = await client.resource(persistentVolumeClaims).get({ name: 'data', namespace: 'default' });
    return claim.metadata?.finalizers?.includes(finalizers.claimAsSource) !== true;
  });
});
