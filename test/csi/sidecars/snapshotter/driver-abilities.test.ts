import test from 'ava';
import { ofClaim, startSnapshotCluster } from '../../snapshots/snapshot-cluster.ts';
import { patience } from '../../../environment.ts';

test('a call that the driver doesn’t answer ends, and the next one may go well', async (t) => {
  const cluster = await startSnapshotCluster({ snapshotter: { timeoutMs: 200 * patience } });
  t.teardown(() => cluster.stop());
  await cluster.createClass({ name: 'plain' });
  await cluster.boundClaim('silent');
  cluster.driver.fail('createSnapshot', 'hang', 'hang');
  const { metadata } = await cluster.createSnapshot('silent', ofClaim('silent', 'plain'));
  const told = await cluster.whenTold(`snapcontent-${metadata?.uid ?? ''}`, 'SnapshotCreationFailed');
  t.true(
    told.includes(
      'SnapshotCreationFailed: Failed to create snapshot: failed to take snapshot of the volume volume-silent: "rpc error: code = DeadlineExceeded desc = context deadline exceeded"',
    ),
  );
  await cluster.whenReady('silent');
  t.is(cluster.driver.snapshots.size, 1);
});

for (const capability of ['GET_SNAPSHOT', 'CREATE_DELETE_SNAPSHOT'] as const)
  test(`an existing snapshot is bound with a driver that can only ${capability}`, async (t) => {
    const cluster = await startSnapshotCluster({ capabilities: [capability] });
    t.teardown(() => cluster.stop());
    cluster.driver.addSnapshot('old');
    await cluster.createContent('old', {
      deletionPolicy: 'Retain',
      driver: cluster.driver.driver.name,
      source: { snapshotHandle: 'old' },
      volumeSnapshotRef: { name: 'adopts', namespace: 'default' },
    });
    await cluster.createSnapshot('adopts', { source: { volumeSnapshotContentName: 'old' } });
    const { status } = await cluster.whenReady('adopts');
    t.is(status?.restoreSize, capability === 'GET_SNAPSHOT' ? '1Gi' : undefined);
    t.deepEqual(cluster.driver.callsOf('listSnapshots'), []);
  });
