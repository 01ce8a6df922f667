import test from 'ava';
import { csiDrivers, csiNodes, nodes } from '../../../client/resources.ts';
import { until } from '../../environment.ts';
import { startFakeNodeDriver } from '../volumes/csi/fake-node-driver.ts';
import { startStorageBench } from '../volumes/csi/storage-bench.ts';

const name = 'ee-fake.csi.podwright.io';

test('a driver is in the CSINode and on the Node as long as its socket is there', async (t) => {
  const bench = await startStorageBench(t, {
    driver: { nodeId: 'machine-7', maxVolumesPerNode: 9, topology: { 'example.org/rack': 'r1' } },
  });
  const { client, driver } = bench;
  t.deepEqual(driver.notifications, [{ pluginRegistered: true, error: '' }]);
  const node = await client.resource(nodes).get({ name: 'node-1' });
  t.is(node.metadata?.labels?.['example.org/rack'], 'r1');
  t.is(
    node.metadata?.annotations?.['csi.volume.kubernetes.io/nodeid'],
    JSON.stringify({ [name]: 'machine-7' }),
  );
  const csiNode = await client.resource(csiNodes).get({ name: 'node-1' });
  t.deepEqual(csiNode.spec.drivers, [
    { name, nodeID: 'machine-7', topologyKeys: ['example.org/rack'], allocatable: { count: 9 } },
  ]);
  t.like(csiNode.metadata?.ownerReferences?.[0], { kind: 'Node', name: 'node-1', uid: node.metadata?.uid });
  t.is(
    csiNode.metadata?.annotations?.['storage.alpha.kubernetes.io/migrated-plugins'],
    'kubernetes.io/aws-ebs,kubernetes.io/gce-pd',
  );

  await driver.down();
  await until('deregistered', async () => {
    const { spec } = await client.resource(csiNodes).get({ name: 'node-1' });
    return spec.drivers.length === 0;
  });
  await until('no annotation', async () => {
    const { metadata } = await client.resource(nodes).get({ name: 'node-1' });
    return metadata?.annotations?.['csi.volume.kubernetes.io/nodeid'] === undefined;
  });
  const { metadata } = await client.resource(nodes).get({ name: 'node-1' });
  t.is(metadata?.labels?.['example.org/rack'], 'r1');

  await driver.up();
  await until('registered again', () => driver.notifications.length === 2);
  await bench.restartKubelet();
  await until('registered with the next kubelet', () => driver.notifications.length === 3);
  t.true(driver.notifications.every(({ pluginRegistered }) => pluginRegistered));
});

test('what is refused is told to the registrar in upstream’s words', async (t) => {
  const bench = await startStorageBench(t, { driver: { topology: { zone: 'a' } } });
  const refusalOf = async (options: Partial<Parameters<typeof startFakeNodeDriver>[0]>) => {
    const driver = await startFakeNodeDriver({ rootDir: bench.rootDir, ...options });
    t.teardown(() => driver.stop());
    const { error, pluginRegistered } = await until('told', () => driver.notifications[0]);
    t.false(pluginRegistered);
    return error;
  };
  t.is(
    await refusalOf({ name: 'ee-old.csi.podwright.io', supportedVersions: ['0.3.0'] }),
    'RegisterPlugin error -- plugin registration failed with err: kubernetes.io/csi: RegisterPlugin for CSI driver "ee-old.csi.podwright.io" failed. None of the versions specified ["0.3.0"] are supported. err=highest supported version reported is 0.3.0, must be v1.x',
  );
  t.is(
    await refusalOf({ name: 'ee-nobody.csi.podwright.io', nodeId: '' }),
    'RegisterPlugin error -- plugin registration failed with err: error adding CSI driver node info: driverNodeID must not be empty',
  );
  t.regex(
    await refusalOf({ name: 'ee-lost.csi.podwright.io', topology: { zone: 'b' } }),
    /detected topology value collision: driver reported "zone":"b" but existing label is "zone":"a"/,
  );
  const { spec } = await bench.client.resource(csiNodes).get({ name: 'node-1' });
  t.deepEqual(
    spec.drivers.map((driver) => driver.name),
    [name],
  );
});

test('how many volumes a driver can attach is asked again as often as its CSIDriver says', async (t) => {
  const bench = await startStorageBench(t, {
    driver: { maxVolumesPerNode: 3 },
    driverSpec: { nodeAllocatableUpdatePeriodSeconds: 10 },
  });
  const { client, driver } = bench;
  t.is((await client.resource(csiDrivers).get({ name })).spec.nodeAllocatableUpdatePeriodSeconds, 10);
  driver.setMaxVolumes(5);
  await until(
    'the new number',
    async () => {
      const { spec } = await client.resource(csiNodes).get({ name: 'node-1' });
      return spec.drivers[0]?.allocatable?.count === 5;
    },
    30_000,
  );
  t.pass();
});
