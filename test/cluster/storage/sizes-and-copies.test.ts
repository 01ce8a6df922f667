import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import { persistentVolumeClaims, persistentVolumes } from '../../../client/resources.ts';
import { clusterPaths } from '../../../cluster/paths.ts';
import { connectCloud } from '../../../csi/drivers/loop-disk/cloud/client.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../csi/snapshots/resources.ts';
import { run } from '../../../linux/command.ts';
import { attachLoop, detachLoop } from '../../../linux/loop-device.ts';
import { makeFileSystem } from '../../../linux/make-filesystem.ts';
import { mount, unmountWaiting } from '../../../linux/mount.ts';
import { createSparseFile } from '../../../linux/sparse-file.ts';
import { hasCapability } from '../../environment.ts';
import { namespace, storageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

/** How large disks are, and what is copied from what; on a pool of its own, an xfs, where copies share their blocks. */
const test = anyTest as TestFn;
const MiB = 1024 ** 2;
const folder = mkdtempSync(join(tmpdir(), 'gg-pool-'));
const image = join(folder, 'image');
const pool = join(folder, 'pool');
let bench: StorageBench;
let poolDevice = '';

test.before(async () => {
  createSparseFile(image, 2048 * MiB);
  poolDevice = attachLoop(image);
  await makeFileSystem(poolDevice, 'xfs');
  mkdirSync(pool);
  mount({ source: poolDevice, target: pool, type: 'xfs' });
  bench = await storageBench({ name: `gg-s${process.pid}`, nodes: 1, diskPool: pool });
});
test.after.always(async (t) => {
  await bench?.end(t);
  await unmountWaiting(pool, { ifMounted: true });
  await detachLoop({ path: poolDevice, backingFile: image });
  rmSync(folder, { recursive: true });
});

/** Size of the file system at /data in a Pod. */
const sizeIn = async (pod: string): Promise<number> =>
  Number((await bench.exec(pod, 'df -k /data | tail -n 1 | tr -s " " | cut -d " " -f 2')).trim()) * 1024;

const isGrownTo = (size: string, claim: string) => async () => {
  const { status } = await bench.getClaim(claim);
  return status?.capacity?.['storage'] === size && (status.conditions ?? []).length === 0;
};

// The kernel lets ext4 grow while it is mounted only for who may go beyond limits of resources (CAP_SYS_RESOURCE).
for (const { type, sizes, growsMounted } of [
  { type: 'ext4', sizes: [64, 256, 512], growsMounted: hasCapability(24) },
  { type: 'xfs', sizes: [320, 448, 640], growsMounted: true },
] as const) {
  test(`${type} grows under a Pod that runs, and between Pods`, async (t) => {
    const [before, after, atLast] = sizes;
    const claim = `grows-${type}`;
    await bench.storageClass(claim, {
      allowVolumeExpansion: true,
      parameters: { 'csi.storage.k8s.io/fstype': type },
    });
    await bench.claim(claim, { storageClassName: claim, size: `${before}Mi` });
    await bench.holder(claim, { claim, script: 'echo kept > /data/file' });
    await bench.running(t, claim);
    await bench.written(claim, '/data/file');
    const isSize = async (size: number) => {
      const bytes = await sizeIn(claim);
      t.true(bytes <= size * MiB && bytes > 0.7 * size * MiB, `${bytes} bytes`);
    };
    await isSize(before);
    const condition = async (wanted: string) =>
      (await bench.getClaim(claim)).status?.conditions?.find((each) => each.type === wanted);

    await bench.resize(claim, `${after}Mi`);
    if (growsMounted) {
      await bench.until(t, 'grown under the Pod', isGrownTo(`${after}Mi`, claim), claim);
      await isSize(after);
      await bench.told(t, claim, 'FileSystemResizeSuccessful');
      t.is((await bench.volumeOf(claim)).spec?.capacity?.['storage'], `${after}Mi`);
      t.is(await bench.exec(claim, 'cat /data/file'), 'kept\n');
    } else {
      const failed = await bench.until(t, 'the node has tried', () => condition('NodeResizeError'), claim);
      t.regex(
        failed.message ?? '',
        /ext4 grows while it is mounted only for a process with CAP_SYS_RESOURCE/,
      );
    }

    await bench.removed(claim);
    const last = growsMounted ? atLast : after;
    await bench.resize(claim, `${last}Mi`);
    const waits = () => condition('FileSystemResizePending');
    await bench.until(t, 'the disk has grown, its file system has not', waits, claim);
    t.is((await bench.getClaim(claim)).status?.capacity?.['storage'], `${growsMounted ? after : before}Mi`);
    await bench.holder(claim, { claim, script: 'cat /data/file' });
    await bench.running(t, claim);
    await bench.until(t, 'grown for the next Pod', isGrownTo(`${last}Mi`, claim), claim);
    await isSize(last);
    await bench.prints(t, claim, 'kept\n');
    await bench.removed(claim);
    await bench.disposed(claim);
  });
}

test('a bound claim does not shrink, and grows only when its class lets it', async (t) => {
  await bench.storageClass('rigid', { volumeBindingMode: 'Immediate' });
  await bench.storageClass('elastic', { volumeBindingMode: 'Immediate', allowVolumeExpansion: true });
  for (const name of ['rigid', 'elastic']) {
    await bench.claim(name, { storageClassName: name });
    await bench.until(t, 'bound', async () => (await bench.getClaim(name)).status?.phase === 'Bound', name);
  }
  const shrink = await t.throwsAsync(bench.resize('elastic', '32Mi'));
  t.like(shrink, { status: { code: 422, reason: 'Invalid' } });
  t.is(
    shrink?.message,
    'PersistentVolumeClaim "elastic" is invalid: spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
  );
  const grow = await t.throwsAsync(bench.resize('rigid', '128Mi'));
  t.like(grow, { status: { code: 403, reason: 'Forbidden' } });
  t.is(
    grow?.message,
    'persistentvolumeclaims "rigid" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  );
  t.is((await bench.getClaim('elastic')).status?.capacity?.['storage'], '64Mi');
  await bench.disposed('rigid', 'elastic');
});

test('a disk really ends', async (t) => {
  await bench.claim('ends');
  await bench.claim('ends-raw', { volumeMode: 'Block' });
  await bench.holder('ends', { claim: 'ends' });
  await bench.holder('ends-raw', { claim: 'ends-raw', asDevice: true });
  await bench.running(t, 'ends');
  await bench.running(t, 'ends-raw');
  const fill = (to: string) => `dd if=/dev/zero of=${to} bs=1M count=100 conv=fsync 2>&1; true`;
  t.regex(await bench.exec('ends', fill('/data/zeros')), /No space left on device/);
  const written = Number(await bench.exec('ends', 'stat -c %s /data/zeros'));
  t.true(written < 64 * MiB && written > 40 * MiB, String(written));
  // The Pod lives, and may make room.
  t.is(await bench.exec('ends', 'rm /data/zeros; echo small > /data/file; cat /data/file'), 'small\n');
  t.regex(await bench.exec('ends-raw', fill('/dev/disk')), /No space left on device[^]*\n64\+0 records out/);
  await bench.removed('ends', 'ends-raw');
  await bench.disposed('ends', 'ends-raw');
});

test('a full zone is told, and there is room again when a disk is deleted', async (t) => {
  const cloud = connectCloud(clusterPaths(bench.name).cloudSocket);
  t.teardown(() => cloud.close());
  await cloud.putZone('local-small', { region: 'local', capacityBytes: 100 * MiB });
  const values = ['local-small'];
  await bench.storageClass('small', {
    volumeBindingMode: 'Immediate',
    allowedTopologies: [{ matchLabelExpressions: [{ key: 'topology.kubernetes.io/zone', values }] }],
  });
  await bench.claim('fits', { storageClassName: 'small' });
  await bench.until(t, 'bound', async () => (await bench.getClaim('fits')).status?.phase === 'Bound', 'fits');
  await bench.claim('too-much', { storageClassName: 'small' });
  const { message } = await bench.told(t, 'too-much', 'ProvisioningFailed');
  t.is(
    message,
    `rpc error: code = ResourceExhausted desc = no room for ${64 * MiB} bytes: zone 'local-small' has ${36 * MiB} bytes left`,
  );
  await bench.disposed('fits');
  const isBound = async () => (await bench.getClaim('too-much')).status?.phase === 'Bound';
  await bench.until(t, 'bound, now that there is room', isBound, 'too-much');
  await bench.disposed('too-much');
});

interface CopyOptions {
  size?: string;
  snapshot?: string;
  claim?: string;
}

/** A claim that begins with the content of a snapshot or of another claim, and a Pod of its name that holds it. */
const copy = async (name: string, { size = '64Mi', snapshot, claim = '' }: CopyOptions): Promise<void> => {
  const dataSource =
    snapshot === undefined
      ? { kind: 'PersistentVolumeClaim', name: claim }
      : { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: snapshot };
  await bench.claim(name, { size, dataSource });
  await bench.holder(name, { claim: name });
};

const takeSnapshot = async (t: ExecutionContext, name: string, claim: string): Promise<string> => {
  const snapshots = bench.client.resource(volumeSnapshots);
  await snapshots.create({
    object: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshot',
      metadata: { name, namespace },
      spec: { source: { persistentVolumeClaimName: claim } },
    },
  });
  const ready = await bench.until(
    t,
    'the snapshot is ready to use',
    async () => {
      const snapshot = await snapshots.get({ name, namespace });
      return snapshot.status?.readyToUse === true ? snapshot : undefined;
    },
    name,
  );
  return ready.status?.boundVolumeSnapshotContentName ?? '';
};

const sumIn = (pod: string) => bench.exec(pod, 'sha256sum /data/noise');

/** A Pod with 8 MiB of noise on its disk; answers their checksum. */
const noisy = async (t: ExecutionContext, name: string): Promise<string> => {
  await bench.claim(name);
  await bench.holder(name, { claim: name });
  await bench.running(t, name);
  return bench.exec(
    name,
    'dd if=/dev/urandom of=/data/noise bs=1M count=8 2>/dev/null; sha256sum /data/noise',
  );
};

test('a disk in use is copied as it was at that moment, byte for byte, also into a larger one', async (t) => {
  const original = await noisy(t, 'origin');
  const content = await takeSnapshot(t, 'moment', 'origin');
  const changed = await bench.exec('origin', 'echo more >> /data/noise; sha256sum /data/noise');
  t.not(changed, original);

  await copy('same-size', { snapshot: 'moment' });
  await copy('larger', { snapshot: 'moment', size: '256Mi' });
  await copy('clone', { claim: 'origin', size: '128Mi' });
  for (const pod of ['same-size', 'larger', 'clone']) await bench.running(t, pod);
  t.is(await sumIn('same-size'), original);
  t.is(await sumIn('larger'), original);
  t.is(await sumIn('clone'), changed);
  t.true((await sizeIn('larger')) > 0.7 * 256 * MiB);
  t.true((await sizeIn('clone')) > 0.7 * 128 * MiB);

  // Each is a disk of its own.
  await bench.exec('same-size', 'rm /data/noise');
  t.is(await sumIn('origin'), changed);
  t.is(await sumIn('larger'), original);

  await copy('too-small', { snapshot: 'moment', size: '32Mi' });
  await copy('small-clone', { claim: 'origin', size: '32Mi' });
  t.is(
    (await bench.told(t, 'too-small', 'ProvisioningFailed')).message,
    `error getting handle for DataSource Type VolumeSnapshot by Name moment: requested volume size ${32 * MiB} is less than the size ${64 * MiB} for the source snapshot moment`,
  );
  t.is(
    (await bench.told(t, 'small-clone', 'ProvisioningFailed')).message,
    `error getting handle for DataSource Type PersistentVolumeClaim by Name origin: error, new PVC request must be greater than or equal in size to the specified PVC data source, requested ${32 * MiB} but source is ${64 * MiB}`,
  );
  const all = ['origin', 'same-size', 'larger', 'clone', 'too-small', 'small-clone'];
  await bench.removed(...all);
  await bench.disposed(...all);

  // The snapshot outlives the disk that it was made of.
  await copy('afterwards', { snapshot: 'moment' });
  await bench.running(t, 'afterwards');
  t.is(await sumIn('afterwards'), original);
  await bench.client.resource(volumeSnapshots).delete({ name: 'moment', namespace });
  await bench.until(t, 'the content is gone', async () => {
    const { items } = await bench.client.resource(volumeSnapshotContents).list();
    return items.every(({ metadata }) => metadata?.name !== content);
  });
  t.is(await sumIn('afterwards'), original);
  await bench.removed('afterwards');
  await bench.disposed('afterwards');
});

test('what is in use is deleted when it is no longer in use', async (t) => {
  await bench.claim('used');
  await bench.holder('user', { claim: 'used' });
  await bench.running(t, 'user');
  const volume = await bench.volumeOf('used');
  const { name = '' } = volume.metadata ?? {};
  const getVolume = () => bench.client.resource(persistentVolumes).get({ name });
  const file = (await bench.loopOf('used')).backingFile;

  await bench.client.resource(persistentVolumes).delete({ name });
  await bench.client.resource(persistentVolumeClaims).delete({ name: 'used', namespace });
  for (const object of [await getVolume(), await bench.getClaim('used')])
    t.not(object.metadata?.deletionTimestamp, undefined);
  t.true((await getVolume()).metadata?.finalizers?.includes('kubernetes.io/pv-protection'));
  t.deepEqual((await bench.getClaim('used')).metadata?.finalizers, ['kubernetes.io/pvc-protection']);
  t.is(await bench.exec('user', 'echo still here > /data/file; cat /data/file'), 'still here\n');
  // A Pod that comes only now doesn't get it.
  await bench.holder('late', { claim: 'used' });
  await bench.told(t, 'late', 'FailedScheduling', 'persistentvolumeclaim "used" is being deleted');
  t.is((await getVolume()).status?.phase, 'Bound');

  await bench.removed('user');
  await bench.until(
    t,
    'the volume is gone',
    () =>
      getVolume().then(
        () => false,
        () => true,
      ),
    name,
    'used',
  );
  t.false(bench.images().some((image) => file.endsWith(image)));
  await bench.removed('late');
});

test.serial('a pool without room is told, and the claim is served when there is some', async (t) => {
  await bench.storageClass('now', { volumeBindingMode: 'Immediate' });
  const ballast = join(pool, 'ballast');
  t.teardown(() => rmSync(ballast, { force: true }));
  const { bavail, bsize } = await statfs(pool);
  await run('fallocate', ['--length', String(bavail * bsize - 30 * MiB), ballast]);
  await bench.claim('waits', { storageClassName: 'now' });
  await bench.told(
    t,
    'waits',
    'ProvisioningFailed',
    'rpc error: code = ResourceExhausted desc = the pool has \\d+ bytes left, and 33554432 are needed',
  );
  t.deepEqual(bench.images(), []);
  rmSync(ballast);
  const isBound = async () => (await bench.getClaim('waits')).status?.phase === 'Bound';
  await bench.until(t, 'bound, now that there is room', isBound, 'waits');
  await bench.disposed('waits');
});
