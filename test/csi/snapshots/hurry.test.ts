import test from 'ava';
import { persistentVolumeClaims } from '../../../client/resources.ts';
import { finalizers } from '../../../csi/snapshots/names.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../csi/snapshots/resources.ts';
import { eventually } from '../../environment.ts';
import { ofClaim, startSnapshotCluster } from './snapshot-cluster.ts';

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
  await eventually(
    async () => (await client.resource(volumeSnapshots).list()).items.length === 0,
    'all snapshots are gone',
  );
  await eventually(
    async () => (await client.resource(volumeSnapshotContents).list()).items.length === 0,
    'all contents are gone',
  );
  t.deepEqual([...driver.snapshots.keys()], []);
  const claim = await client.resource(persistentVolumeClaims).get({ name: 'data', namespace: 'default' });
  t.false(claim.metadata?.finalizers?.includes(finalizers.claimAsSource) ?? false);
});

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
  await eventually(async () => {
    const { items } = await cluster.client.resource(volumeSnapshots).list();
    return items.every(({ status }) => status?.readyToUse === true);
  }, 'all are ready');
  t.is(cluster.driver.snapshots.size, count);
  for (const name of ['one', 'other'])
    await eventually(
      async () =>
        (await cluster.claim(name))?.metadata?.finalizers?.includes(finalizers.claimAsSource) !== true,
      `claim ${name} is let go`,
    );
});
