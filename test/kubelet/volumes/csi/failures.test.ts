import test from 'ava';
import { nodes, persistentVolumes, volumeAttachments } from '../../../../client/resources.ts';
import { attachmentNameOf } from '../../../../api/storage/attachment.ts';
import { until } from '../../../environment.ts';
import { startStorageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

const noAttach = { driverSpec: { attachRequired: false } };

const failedMount = (bench: StorageBench, pod: string, words: string) =>
  bench.eventUntil(pod, ({ reason, message = '' }) => reason === 'FailedMount' && message.includes(words));

test('a driver that refuses to stage leaves nothing; one that may have staged is asked to unstage', async (t) => {
  const bench = await startStorageBench(t, noAttach);
  const { driver } = bench;
  await bench.makeVolume('refused');
  driver.fail('stage', ...Array.from({ length: 50 }, () => ({ code: 'INVALID_ARGUMENT' as const })));
  await bench.makePod('one', ['refused']);
  const event = await failedMount(bench, 'one', 'MountDevice');
  t.is(
    event.message,
    'MountVolume.MountDevice failed for volume "refused" : rpc error: code = InvalidArgument desc = fake stage failure',
  );
  await bench.deletePod('one');
  t.false(driver.rpcs().includes('unstage'));
  t.deepEqual(bench.mounts(), []);

  // The call ended with a timeout after its work was done: the volume may be, and is, staged.
  await bench.makeVolume('uncertain');
  driver.calls.length = 0;
  driver.fail(
    'stage',
    ...Array.from({ length: 50 }, () => ({ code: 'DEADLINE_EXCEEDED' as const, afterwards: true })),
  );
  await bench.makePod('two', ['uncertain']);
  await failedMount(bench, 'two', 'code = DeadlineExceeded');
  await bench.deletePod('two');
  await until('unstaged', () => driver.rpcs().at(-1) === 'unstage' && bench.mounts().length === 0);
  t.false(driver.rpcs().includes('publish'));
});

test('the words of a driver that refuses are heard also when something is mounted there', async (t) => {
  const bench = await startStorageBench(t, noAttach);
  const { driver, rootDir } = bench;
  await bench.makeVolume('data');
  driver.fail('stage', { code: 'DEADLINE_EXCEEDED', afterwards: true }, { code: 'INTERNAL' });
  await bench.makePod('one', ['data']);
  const event = await failedMount(bench, 'one', 'code = Internal');
  t.is(
    event.message,
    'MountVolume.MountDevice failed for volume "data" : rpc error: code = Internal desc = fake stage failure',
  );
  t.true(rootDir !== '' && bench.mounts().length > 0);
  await bench.running('one');
});

test('publish is tried again until it succeeds; one that may have been done is undone with the Pod', async (t) => {
  const bench = await startStorageBench(t, noAttach);
  const { driver } = bench;
  await bench.makeVolume('data');
  driver.fail('publish', { code: 'INTERNAL' }, { code: 'UNAVAILABLE', afterwards: true });
  await bench.makePod('one', ['data']);
  const event = await failedMount(bench, 'one', 'SetUp failed');
  t.is(
    event.message,
    'MountVolume.SetUp failed for volume "data" : rpc error: code = Internal desc = fake publish failure',
  );
  await bench.running('one');
  t.deepEqual(driver.rpcs(), ['stage', 'publish', 'publish', 'publish']);
  await bench.deletePod('one');
  await until('unstaged', () => bench.mounts().length === 0);

  driver.calls.length = 0;
  driver.fail(
    'publish',
    ...Array.from({ length: 50 }, () => ({ code: 'ABORTED' as const, afterwards: true })),
  );
  await bench.makePod('two', ['data']);
  await failedMount(bench, 'two', 'code = Aborted');
  driver.fail('unpublish', { code: 'INTERNAL' });
  driver.fail('unstage', { code: 'INTERNAL' }, { code: 'UNAVAILABLE', afterwards: true });
  await bench.deletePod('two');
  await until('unstaged', () => driver.rpcs().filter((rpc) => rpc === 'unstage').length === 3);
  await until('nothing is mounted', () => bench.mounts().length === 0);
  t.is(driver.rpcs().filter((rpc) => rpc === 'unpublish').length, 2);
});

test('what may not be mounted here: the words of upstream', async (t) => {
  const bench = await startStorageBench(t, {});
  const { driver, client } = bench;
  // A volume of another zone.
  await bench.makeVolume('elsewhere', {
    spec: {
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['moon'] }] }],
        },
      },
    },
  });
  await bench.makePod('far', ['elsewhere']);
  t.is(
    (await failedMount(bench, 'far', 'NodeAffinity')).message,
    'MountVolume.NodeAffinity check failed for volume "elsewhere" : no matching NodeSelectorTerms',
  );

  // Its attachment says that it isn't.
  await bench.makeVolume('loose');
  await bench.attach('loose');
  const name = attachmentNameOf({ driver: driver.name, handle: 'handle-loose' }, 'node-1');
  const attached = (status: object) =>
    client
      .resource(volumeAttachments)
      .patch({ name, type: 'merge', subresource: 'status', patch: { status } });
  await attached({ attached: false });
  await bench.makePod('waits', ['loose']);
  t.is(
    (await failedMount(bench, 'waits', 'WaitForAttach')).message,
    `MountVolume.WaitForAttach failed for volume "loose" : volume handle-loose is not attached for volume attachment ${name}`,
  );
  await attached({ attachError: { message: 'the cloud is down', time: new Date().toISOString() } });
  await failedMount(
    bench,
    'waits',
    'MountVolume.WaitForAttach failed for volume "loose" : the cloud is down',
  );
  await attached({ attached: true, attachError: null });
  await bench.running('waits');

  // A file system where a device is wanted.
  await bench.makePod('raw', ['loose'], {
    containers: [
      { name: 'main', image: 'busybox', volumeDevices: [{ name: 'loose', devicePath: '/dev/x' }] },
    ],
  });
  await failedMount(
    bench,
    'raw',
    'failed to process volumes=[loose]: volume loose has volumeMode Filesystem, but is specified in volumeDevices',
  );
});

test('a driver that is not registered, and then is', async (t) => {
  const bench = await startStorageBench(t, noAttach);
  await bench.makeVolume('data', { csi: { driver: 'ee-later.csi.podwright.io' } });
  const { startFakeNodeDriver } = await import('./fake-node-driver.ts');
  const { csiDrivers } = await import('../../../../client/resources.ts');
  await bench.client.resource(csiDrivers).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: 'ee-later.csi.podwright.io' },
      spec: { attachRequired: false },
    },
  });
  await bench.makePod('early', ['data']);
  t.is(
    (await failedMount(bench, 'early', 'MountDevice')).message,
    'MountVolume.MountDevice failed for volume "data" : kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ee-later.csi.podwright.io not found in the list of registered CSI drivers',
  );
  const later = await startFakeNodeDriver({ rootDir: bench.rootDir, name: 'ee-later.csi.podwright.io' });
  t.teardown(() => later.stop());
  await bench.running('early');
  await bench.deletePod('early');
  await until('unstaged', () => bench.mounts().length === 0);
});

test('ReadWriteOncePod: the second Pod waits until the first is gone', async (t) => {
  const bench = await startStorageBench(t, noAttach);
  await bench.makeVolume('mine', { spec: { accessModes: ['ReadWriteOncePod'] } });
  await bench.makePod('first', ['mine']);
  await bench.running('first');
  await bench.makePod('second', ['mine']);
  t.is(
    (await failedMount(bench, 'second', 'ReadWriteOncePod')).message,
    'MountVolume.SetUp failed for volume "mine" : volume uses the ReadWriteOncePod access mode and is already in use by another pod',
  );
  await bench.deletePod('first');
  await bench.running('second');
  await bench.deletePod('second');
  await until('unstaged', () => bench.mounts().length === 0);
});

test('a volume stays attached and in use until it is unstaged, however often that fails', async (t) => {
  const bench = await startStorageBench(t, {});
  const { driver, client } = bench;
  await bench.makeVolume('data');
  await bench.attach('data');
  await bench.makePod('one', ['data']);
  await bench.running('one');
  driver.fail('unstage', ...Array.from({ length: 50 }, () => ({ code: 'INTERNAL' as const })));
  await bench.deletePod('one');
  await until('tried', () => driver.rpcs().filter((rpc) => rpc === 'unstage').length > 0);
  t.deepEqual(await bench.volumesInUse(), [`kubernetes.io/csi/${driver.name}^handle-data`]);
  driver.fail('unstage');
  // A Pod that comes meanwhile takes hold of it again.
  await bench.makePod('two', ['data']);
  await bench.running('two');
  await bench.deletePod('two');
  await until('not in use', async () => (await bench.volumesInUse()).length === 0);
  t.deepEqual(bench.mounts(), []);
  // What the controllers wrote into the node's status meanwhile is not overwritten.
  const { status } = await client.resource(nodes).get({ name: 'node-1' });
  t.deepEqual(
    status?.volumesAttached?.map(({ name }) => name),
    [`kubernetes.io/csi/${driver.name}^handle-data`],
  );
  t.truthy(await client.resource(persistentVolumes).get({ name: 'data' }));
});
