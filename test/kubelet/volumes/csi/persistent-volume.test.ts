import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { NodePublishVolumeRequest, NodeStageVolumeRequest } from '../../../../csi/types.ts';
import { until } from '../../../environment.ts';
import { bind, listed, startStorageBench } from './storage-bench.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

test('a claim is staged once for two Pods, published for each, and everything undone in order', async (t) => {
  const bench = await startStorageBench(t);
  const { driver, rootDir } = bench;
  await bench.makeVolume('data', {
    csi: { volumeAttributes: { colour: 'blue' } },
    spec: { mountOptions: ['noatime'] },
  });
  const one = await bench.makePod('one', ['data']);
  const unique = `kubernetes.io/csi/${driver.name}^handle-data`;
  await until('in use', async () => (await bench.volumesInUse()).includes(unique));
  t.deepEqual(driver.calls, []);
  await bench.attach('data', { devicePath: '/dev/fake' });
  await bench.running('one');
  t.deepEqual(driver.rpcs(), ['stage', 'publish']);

  const staged = `plugins/kubernetes.io/csi/${driver.name}/${sha256('handle-data')}`;
  const target = (uid = '') => `pods/${uid}/volumes/kubernetes.io~csi/data/mount`;
  const { uid } = one.metadata ?? {};
  t.like(driver.requestOf<NodeStageVolumeRequest>('stage'), {
    volumeId: 'handle-data',
    stagingTargetPath: join(rootDir, staged, 'globalmount'),
    publishContext: { devicePath: '/dev/fake' },
    volumeContext: { colour: 'blue' },
    volumeCapability: {
      mount: { fsType: 'ext4', mountFlags: ['noatime'], volumeMountGroup: '' },
      accessMode: { mode: 'SINGLE_NODE_WRITER' },
    },
  });
  t.like(driver.requestOf<NodePublishVolumeRequest>('publish'), {
    stagingTargetPath: join(rootDir, staged, 'globalmount'),
    targetPath: join(rootDir, target(uid)),
    publishContext: { devicePath: '/dev/fake' },
    readonly: false,
  });
  t.deepEqual(bench.mounts().toSorted(), [`${staged}/globalmount`, target(uid)].toSorted());
  const data = JSON.parse(
    readFileSync(join(rootDir, `pods/${uid}/volumes/kubernetes.io~csi/data/vol_data.json`), 'utf8'),
  ) as unknown;
  t.deepEqual(data, {
    specVolID: 'data',
    volumeHandle: 'handle-data',
    driverName: driver.name,
    nodeName: 'node-1',
    volumeLifecycleMode: 'Persistent',
    attachmentID: `csi-${sha256(`handle-data${driver.name}node-1`)}`,
  });

  const two = await bench.makePod('two', ['data']);
  await bench.running('two');
  t.deepEqual(driver.rpcs(), ['stage', 'publish', 'publish']);

  await bench.deletePod('one');
  t.deepEqual(driver.rpcs(), ['stage', 'publish', 'publish', 'unpublish']);
  t.deepEqual(bench.mounts().toSorted(), [`${staged}/globalmount`, target(two.metadata?.uid)].toSorted());
  t.deepEqual(await bench.volumesInUse(), [unique]);

  await bench.deletePod('two');
  await until('unstaged', async () => (await bench.volumesInUse()).length === 0);
  t.deepEqual(driver.rpcs(), ['stage', 'publish', 'publish', 'unpublish', 'unpublish', 'unstage']);
  t.deepEqual(bench.mounts(), []);
  await until('the folder of the Pod is gone', () => listed(join(rootDir, 'pods')).length === 0);
  t.deepEqual(listed(join(rootDir, 'plugins/kubernetes.io/csi', driver.name)), []);
});

test('a claim that is not there, then not bound, then bound: the Pod says what it waits for, and starts', async (t) => {
  const bench = await startStorageBench(t, { driverSpec: { attachRequired: false } });
  await bench.makePod('waits', ['late']);
  await bench.eventUntil('waits', ({ message = '' }) => message.includes('not found'));
  await bench.makeVolume('late', { bound: false });
  const event = await bench.eventUntil('waits', ({ message = '' }) => message.includes('not bound'));
  t.is(
    event.message,
    'Unable to attach or mount volumes: unmounted volumes=[late], unattached volumes=[], failed to process volumes=[late]: error processing PVC default/late: PVC is not bound',
  );
  t.is(event.reason, 'FailedMount');
  await bind(bench, 'late');
  await bench.running('waits');
  // No controller attaches the driver's volumes, so the node says nothing of them.
  t.deepEqual(await bench.volumesInUse(), []);
  await bench.deletePod('waits');
  await until('unstaged', () => bench.mounts().length === 0);
});
