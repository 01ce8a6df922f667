import { mkdirSync, readFileSync, readlinkSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { attachLoop, detachLoop } from '../../../linux/loop-device.ts';
import { readMountInfo } from '../../../linux/mount-info.ts';
import { unmount } from '../../../linux/mount.ts';
import { run } from '../../../linux/command.ts';
import { events, persistentVolumes } from '../../../client/resources.ts';
import type { PersistentVolumeSpec } from '../../../api/types.ts';
import { until } from '../../environment.ts';
import { startStorageBench } from './csi/storage-bench.ts';
import type { StorageBench } from './csi/storage-bench.ts';

const here = {
  required: {
    nodeSelectorTerms: [
      { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['node-1'] }] },
    ],
  },
};

const localSpec = (path: string, more: Partial<PersistentVolumeSpec> = {}, fsType?: string) => ({
  spec: { local: { path, ...(fsType ? { fsType } : {}) }, nodeAffinity: here, ...more },
});

const makeDisk = (t: ExecutionContext, { dir }: StorageBench, name: string, bytes = 32 * 1024 * 1024) => {
  const file = join(dir, `ee-${name}.img`);
  writeFileSync(file, '');
  truncateSync(file, bytes);
  const path = attachLoop(file);
  t.teardown(() => detachLoop({ path, backingFile: file }));
  return { path, file };
};

const failed = (bench: StorageBench, pod: string) =>
  bench.eventUntil(pod, ({ reason }) => reason === 'FailedMount' || reason === 'FailedMapVolume');

test.serial('a directory: bound for each Pod, its data outlives them', async (t) => {
  const bench = await startStorageBench(t);
  const disk = join(bench.dir, 'disk');
  mkdirSync(disk);
  await bench.makeVolume('dir', localSpec(disk));
  const pod = await bench.makePod('one', ['dir'], { securityContext: { fsGroup: 4711 } });
  await bench.running('one');
  const target = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~local-volume/dir`);
  t.is(statSync(target).ino, statSync(disk).ino);
  t.is(statSync(disk).gid, 4711);
  writeFileSync(join(target, 'kept'), 'x');
  await bench.restartKubelet();
  t.deepEqual(bench.mounts().length, 1);
  await bench.kubelet.stop();
  unmount(target);
  await bench.restartKubelet();
  await until('bound again', () => bench.mounts().length === 1);
  await bench.deletePod('one');
  t.deepEqual(bench.mounts(), []);
  t.is(readFileSync(join(disk, 'kept'), 'utf8'), 'x');
});

test.serial('a second Pod of another group gets the volume as the first has it, and is told', async (t) => {
  const bench = await startStorageBench(t);
  const disk = join(bench.dir, 'shared');
  mkdirSync(disk);
  await bench.makeVolume('shared', localSpec(disk));
  for (const [name, fsGroup] of [
    ['first', 4711],
    ['same', 4711],
    ['other', 4712],
  ] as const) {
    await bench.makePod(name, ['shared'], { securityContext: { fsGroup } });
    await bench.running(name);
  }
  t.is(statSync(disk).gid, 4711);
  const { type, message } = await bench.eventUntil(
    'other',
    ({ reason }) => reason === 'AlreadyMountedVolume',
  );
  t.is(type, 'Warning');
  t.is(
    message,
    'The requested fsGroup is 4712, but the volume shared has GID 4711. The volume may not be shareable.',
  );
  const { items } = await bench.client.resource(events).list({ namespace: 'default' });
  t.is(items.filter(({ reason }) => reason === 'AlreadyMountedVolume').length, 1);
  for (const name of ['first', 'same', 'other']) await bench.deletePod(name);
});

test.serial('a block device: formatted when empty, mounted once, never formatted again', async (t) => {
  const bench = await startStorageBench(t);
  const { path } = makeDisk(t, bench, 'fresh');
  await bench.makeVolume('disk', localSpec(path, { mountOptions: ['noatime'] }));
  const pod = await bench.makePod('one', ['disk']);
  await bench.running('one');
  const global = join(bench.rootDir, 'plugins/kubernetes.io/local-volume/mounts/disk');
  const mount = readMountInfo().find(({ mountPoint }) => mountPoint === global);
  t.like(mount, { type: 'ext4', source: path });
  t.true(mount?.options.includes('noatime'));
  const target = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~local-volume/disk`);
  writeFileSync(join(target, 'kept'), 'x');
  await bench.restartKubelet();
  await bench.makePod('two', ['disk']);
  await bench.running('two');
  t.is(bench.mounts().length, 3);
  await bench.deletePod('one');
  t.is(bench.mounts().length, 2);
  await bench.deletePod('two');
  await until('unmounted', () => bench.mounts().length === 0);

  const again = await bench.makePod('three', ['disk']);
  await bench.running('three');
  const data = `pods/${again.metadata?.uid}/volumes/kubernetes.io~local-volume/disk/kept`;
  t.is(readFileSync(join(bench.rootDir, data), 'utf8'), 'x');
  await bench.deletePod('three');
  await until('unmounted', () => bench.mounts().length === 0);

  // Another type of file system is wanted than there is: what is there stays.
  await bench.makeVolume('xfs', localSpec(path, {}, 'xfs'));
  await bench.makePod('wrong', ['xfs']);
  t.is(
    (await failed(bench, 'wrong')).message,
    `MountVolume.MountDevice failed for volume "xfs" : local: failed to mount device ${path} at ${join(bench.rootDir, 'plugins/kubernetes.io/local-volume/mounts/xfs')} (fstype: xfs), error failed to mount the volume as "xfs", it already contains ext4`,
  );
  await bench.deletePod('wrong');
  t.deepEqual(bench.mounts(), []);
});

test.serial('a partition: a disk of its own, whatever else is on the device', async (t) => {
  const bench = await startStorageBench(t);
  const file = join(bench.dir, 'ee-parted.img');
  writeFileSync(file, '');
  truncateSync(file, 64 * 1024 * 1024);
  const { stdout } = await run('losetup', ['--find', '--show', '--partscan', file]);
  const path = stdout.trim();
  t.teardown(() => detachLoop({ path, backingFile: file }));
  // Number, first sector, sectors.
  await run('addpart', [path, '1', '2048', '65536']);
  // Another mount namespace that has begun meanwhile may still have the mount, for a moment.
  const remove = () => run('delpart', [path, '1']).then(() => true);
  t.teardown(() => until('the partition is removed', remove));
  const partition = `${path}p1`;
  await bench.makeVolume('part', localSpec(partition));
  const pod = await bench.makePod('one', ['part']);
  await bench.running('one');
  const target = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumes/kubernetes.io~local-volume/part`);
  t.is(readMountInfo().find(({ mountPoint }) => mountPoint === target)?.source, partition);
  writeFileSync(join(target, 'kept'), 'x');
  await bench.deletePod('one');
  await until('unmounted', () => bench.mounts().length === 0);

  const next = await bench.makePod('two', ['part']);
  await bench.running('two');
  const kept = `pods/${next.metadata?.uid}/volumes/kubernetes.io~local-volume/part/kept`;
  t.is(readFileSync(join(bench.rootDir, kept), 'utf8'), 'x');
  await bench.deletePod('two');
  await until('unmounted', () => bench.mounts().length === 0);
});

test.serial('a block device that has grown: the file system follows its PersistentVolume', async (t) => {
  const bench = await startStorageBench(t);
  // xfs, because ext4 wants CAP_SYS_RESOURCE to grow while it is mounted.
  const { path, file } = makeDisk(t, bench, 'grows', 320 * 1024 * 1024);
  await bench.makeVolume('disk', localSpec(path, {}, 'xfs'));
  await bench.makePod('one', ['disk']);
  await bench.running('one');
  const global = join(bench.rootDir, 'plugins/kubernetes.io/local-volume/mounts/disk');
  const sizeOf = async () => Number((await run('df', ['--output=size', global])).stdout.split('\n').at(-1));
  const before = await sizeOf();
  truncateSync(file, 640 * 1024 * 1024);
  await run('losetup', ['-c', path]);
  await bench.client
    .resource(persistentVolumes)
    .patch({ name: 'disk', type: 'merge', patch: { spec: { capacity: { storage: '2Gi' } } } });
  // Nothing tells of a PersistentVolume that an administrator has changed: it is seen at the Pod's next sync.
  await bench.restartKubelet();
  await bench.eventUntil('one', ({ reason }) => reason === 'FileSystemResizeSuccessful');
  t.true((await sizeOf()) > before * 1.5);
  await bench.deletePod('one');
  await until('unmounted', () => bench.mounts().length === 0);
});

test.serial('a device as it is, for volumeMode Block', async (t) => {
  const bench = await startStorageBench(t);
  const { path } = makeDisk(t, bench, 'raw');
  await bench.makeVolume('raw', localSpec(path, { volumeMode: 'Block' }));
  const pod = await bench.makePod('one', [], {
    volumes: [{ name: 'raw', persistentVolumeClaim: { claimName: 'raw' } }],
    containers: [
      { name: 'main', image: 'busybox', volumeDevices: [{ name: 'raw', devicePath: '/dev/xvda' }] },
    ],
  });
  await bench.running('one');
  const link = join(bench.rootDir, `pods/${pod.metadata?.uid}/volumeDevices/kubernetes.io~local-volume/raw`);
  t.is(readlinkSync(link), path);
  await bench.restartKubelet();
  await bench.deletePod('one');
  t.is(statSync(link, { throwIfNoEntry: false }), undefined);
});

test.serial('what is not there or can’t be used, in upstream’s words', async (t) => {
  const bench = await startStorageBench(t);
  await bench.makeVolume('gone', localSpec('/ee/not/there'));
  await bench.makePod('one', ['gone']);
  t.is(
    (await failed(bench, 'one')).message,
    'MountVolume.NewMounter initialization failed for volume "gone" : path "/ee/not/there" does not exist',
  );
  const file = join(bench.dir, 'file');
  writeFileSync(file, '');
  await bench.makeVolume('file', localSpec(file));
  await bench.makePod('two', ['file']);
  t.is(
    (await failed(bench, 'two')).message,
    'MountVolume.NewMounter initialization failed for volume "file" : only directory and block device are supported',
  );
  const hostPath = join(bench.dir, 'host');
  mkdirSync(hostPath);
  await bench.makeVolume('host', { spec: { hostPath: { path: hostPath }, mountOptions: ['ro'] } });
  await bench.makePod('three', ['host']);
  t.is(
    (await failed(bench, 'three')).message,
    'MountVolume.MountOptionSupport check failed for volume "host" : mount options are not supported for this volume type',
  );
  await bench.makeVolume('plain', { spec: { hostPath: { path: hostPath, type: 'Directory' } } });
  await bench.makePod('four', ['plain']);
  await bench.running('four');
  await bench.makeVolume('scsi', { spec: { iscsi: { targetPortal: 'x', iqn: 'iqn.2026-01.a:b', lun: 0 } } });
  await bench.makePod('five', ['scsi']);
  t.is(
    (await failed(bench, 'five')).message,
    'Unable to attach or mount volumes: unmounted volumes=[scsi], unattached volumes=[], failed to process volumes=[scsi]: failed to get Plugin from volumeSpec for volume "scsi" err=no volume plugin matched: volumes of type iscsi are not supported; use a local PersistentVolume of the block device, or a CSI driver for iSCSI',
  );
});
