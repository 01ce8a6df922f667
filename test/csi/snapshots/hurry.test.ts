import test from 'ava';
import { finalizers } from '../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../csi/snapshots/resources.ts';
import { until } from '../../environment.ts';
import { ofClaim, startSnapshotCluster } from './snapshot-cluster.ts';
import type { SnapshotCluster } from './snapshot-cluster.ts';

const count = 12;

test.serial('snapshots that are deleted at any moment of their making leave nothing behind', async (t) => {
  const cluster = await startSnapshotCluster();
  t.teardown(() => cluster.stop());
  const { client, driver } = cluster;
  await cluster.createClass({ name: 'plain', isDefault: true });
  await cluster.boundClaim('data');
  const hurry = async (index: number) => {
    const name = `s-${index}`;
    await cluster.createSnapshot(name, ofClaim('data'));
    // From at once to after it is ready.
    await new Promise((resolve) => setTimeout(resolve, index * 7));
    await cluster.deleteSnapshot(name);
  };
  await Promise.all(Array.from({ length: count }, (_, index) => hurry(index)));
  await until(
    'all snapshots are gone',
    async () => (await client.resource(volumeSnapshots).list()).items.length === 0,
  );
  await until(
    'all contents are gone',
    async () => (await client.resource(volumeSnapshotContents).list()).items.length === 0,
  );
  t.deepEqual([...driver.snapshots.keys()], []);
  await claimIsLetGo(cluster, 'data');
});

const claimIsLetGo = (cluster: SnapshotCluster, name: string) =>
  until(
    `claim ${name} is let go`,
    async () =>
      (await cluster.claim(name))?.metadata?.finalizers?.includes(finalizers.claimAsSource) !== true,
  );

test.serial('many snapshots at once all get ready, each with a snapshot of its own', async (t) => {
  const cluster = await startSnapshotCluster();
  t.teardown(() => cluster.stop());
  await cluster.createClass({ name: 'plain', isDefault: true });
  const names = Array.from({ length: count }, (_, index) => `s-${index}`);
  await cluster.boundClaim('one');
  await cluster.boundClaim('other');
  await Promise.all(
    names.map((name, index) => cluster.createSnapshot(name, ofClaim(index % 2 === 0 ? 'one' : 'other'))),
  );
  await until('all are ready', async () => {
    const { items } = await cluster.client.resource(volumeSnapshots).list();
    return items.every(({ status }) => status?.readyToUse === true);
  });
  t.is(cluster.driver.snapshots.size, count);
  for (const name of ['one', 'other']) await claimIsLetGo(cluster, name);
});
