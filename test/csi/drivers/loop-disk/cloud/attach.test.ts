import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../../../../../linux/command.ts';
import { setFailpoint } from '../../../../../linux/failpoint.ts';
import { attachLoop, loopAt, loopsOf } from '../../../../../linux/loop-device.ts';
import { isMountPoint } from '../../../../../linux/mount-info.ts';
import { until } from '../../../../environment.ts';
import { cloudRig, mountedDisk, rejects, MiB, region, zone } from '../driver-rig.ts';

test('attaches a disk as a block device, and detaches it', async (t) => {
  const rig = await cloudRig(t);
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB });
  const {
    devicePath = '',
    attachments,
    health,
  } = await rig.cloud.attachDisk(disk.id, {
    instance: 'node-1',
    mode: 'read-write',
  });
  t.like(loopAt(devicePath), { backingFile: rig.imageOf(disk), readOnly: false });
  t.like(attachments, [{ instance: 'node-1', mode: 'read-write' }]);
  t.deepEqual(health, { ok: true, message: `attached as ${devicePath}` });
  const again = await rig.cloud.attachDisk(disk.id, { instance: 'node-1', mode: 'read-write' });
  t.is(again.devicePath, devicePath);
  const free = await rig.cloud.detachDisk(disk.id, { instance: 'node-1' });
  t.deepEqual(free.attachments, []);
  t.deepEqual(loopsOf(rig.imageOf(disk)), []);
  await t.notThrowsAsync(rig.cloud.detachDisk(disk.id, { instance: 'node-1' }), 'twice is no error');
});

test('a disk that may be written belongs to one machine; readers share it', async (t) => {
  const { cloud } = await cloudRig(t);
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB });
  await cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' });
  for (const mode of ['read-write', 'read-only', 'shared-write'] as const)
    await t.throwsAsync(
      cloud.attachDisk(id, { instance: 'node-2', mode }),
      rejects('ATTACHED_ELSEWHERE', `disk '${id}' is attached to 'node-1' (read-write)`),
    );
  await t.throwsAsync(
    cloud.attachDisk(id, { instance: 'node-1', mode: 'read-only' }),
    rejects('ATTACH_MODE_CONFLICT', `disk '${id}' is attached to 'node-1' already, read-write`),
  );
  await cloud.detachDisk(id, { instance: 'node-1' });
  const readers = await Promise.all(
    ['node-1', 'node-2'].map((instance) => cloud.attachDisk(id, { instance, mode: 'read-only' })),
  );
  t.is(readers[0]?.devicePath, readers[1]?.devicePath);
  t.true(loopAt(readers[0]?.devicePath ?? '')?.readOnly);
  await cloud.detachDisk(id, { instance: 'node-1' });
  t.truthy(loopAt(readers[0]?.devicePath ?? ''), 'the other still reads');
});

test('a machine takes disks of its zone, and so many', async (t) => {
  const { cloud } = await cloudRig(t);
  await cloud.putZone('cn-hangzhou-d', { region });
  await cloud.putInstance('far', { zone: 'cn-hangzhou-d' });
  await cloud.putInstance('node-1', { zone, maxDisks: 1 });
  const ids = await Promise.all(
    ['a', 'b'].map(async (name) => (await cloud.createDisk({ name, zone, sizeBytes: MiB })).id),
  );
  const [first = '', second = ''] = ids;
  await t.throwsAsync(
    cloud.attachDisk(first, { instance: 'far', mode: 'read-write' }),
    rejects('ZONE_MISMATCH', `disk '${first}' is in zone 'cn-hangzhou-b', instance 'far' in 'cn-hangzhou-d'`),
  );
  await t.throwsAsync(
    cloud.attachDisk(first, { instance: 'nobody', mode: 'read-write' }),
    rejects('INSTANCE_NOT_FOUND', "there is no instance 'nobody'"),
  );
  const attached = await Promise.allSettled(
    ids.map((id) => cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' })),
  );
  t.is(attached.filter(({ status }) => status === 'fulfilled').length, 1, 'also at once');
  await t.throwsAsync(cloud.putInstance('node-1', { zone: 'cn-hangzhou-d' }), { code: 'IN_USE' });
  const [holder] = attached[0]?.status === 'fulfilled' ? [first] : [second];
  await t.throwsAsync(
    cloud.deleteDisk(holder),
    rejects('DISK_ATTACHED', `disk '${holder}' is attached to 'node-1'`),
  );
});

test('a disk grows while it is attached, and never shrinks', async (t) => {
  const { cloud } = await cloudRig(t);
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB });
  const { devicePath = '' } = await cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' });
  t.is((await cloud.resizeDisk(id, 8 * MiB)).sizeBytes, 8 * MiB);
  t.is(Number(execFileSync('blockdev', ['--getsize64', devicePath], { encoding: 'utf8' })), 8 * MiB);
  await t.throwsAsync(
    cloud.resizeDisk(id, 4 * MiB),
    rejects('SIZE_TOO_SMALL', `disk '${id}' has 8388608 bytes and cannot become smaller`),
  );
});

test.serial('a disk that could not grow has its size, and grows when it is asked for again', async (t) => {
  const { cloud } = await cloudRig(t);
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB });
  const { devicePath = '' } = await cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' });
  using _point = setFailpoint('cloud.resize.after-image', '1*error(EIO)');
  const grow = () => cloud.resizeDisk(id, 8 * MiB);
  await t.throwsAsync(grow, rejects('INTERNAL', 'failpoint cloud.resize.after-image: EIO'));
  t.is((await cloud.getDisk(id)).sizeBytes, 4 * MiB);
  t.is((await grow()).sizeBytes, 8 * MiB);
  t.is(Number(execFileSync('blockdev', ['--getsize64', devicePath], { encoding: 'utf8' })), 8 * MiB);
});

test('the cache mode changes on the live device', async (t) => {
  const { cloud } = await cloudRig(t);
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB, cache: 'writeback' });
  const { devicePath = '' } = await cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' });
  t.false(loopAt(devicePath)?.directIo);
  t.is((await cloud.modifyDisk(id, { cache: 'none' })).cache, 'none');
  t.true(loopAt(devicePath)?.directIo);
});

test('a disk in use is not detached, unless it is pulled out: then its user gets errors and nothing is written', async (t) => {
  const rig = await cloudRig(t);
  const { cloud } = rig;
  const { disk, devicePath, target } = await mountedDisk(rig);
  writeFileSync(join(target, 'data'), 'safe', { flush: true });
  await t.throwsAsync(
    cloud.detachDisk(disk.id, { instance: 'node-1' }),
    rejects(
      'IN_USE',
      `disk '${disk.id}' is in use at ${devicePath}: it is mounted or open ` +
        `('grep "${devicePath} " /proc/*/mountinfo' and 'fuser ${devicePath}' show by whom)`,
    ),
  );
  await cloud.detachDisk(disk.id, { instance: 'node-1', force: true });
  t.true(loopAt(devicePath)?.cutOff);
  t.true(isMountPoint(target));
  t.throws(() => writeFileSync(join(target, 'late'), 'x'.repeat(MiB), { flush: true }), {
    message: /EIO|EROFS|ESHUTDOWN/,
  });
  const elsewhere = await cloud.attachDisk(disk.id, { instance: 'node-2', mode: 'read-write' });
  t.not(elsewhere.devicePath, devicePath);
  const other = join(rig.dir, 'other');
  await run('mkdir', [other]);
  await run('mount', [elsewhere.devicePath ?? '', other]);
  t.is(readFileSync(join(other, 'data'), 'utf8'), 'safe');
  t.false(existsSync(join(other, 'late')));
  await run('umount', [target]);
  await until('the old device ends at its last close', () => loopAt(devicePath) === undefined);
});

test.serial(
  'a restart finds attached disks, grows what was being grown, and takes strangers away',
  async (t) => {
    const rig = await cloudRig(t);
    const { cloud } = rig;
    const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB });
    const { devicePath } = await cloud.attachDisk(disk.id, { instance: 'node-1', mode: 'read-write' });
    const lost = await cloud.createDisk({ name: 'lost', zone, sizeBytes: 4 * MiB });
    const before = await cloud.attachDisk(lost.id, { instance: 'node-1', mode: 'read-write' });
    using _point = setFailpoint('cloud.resize.after-record', '1*error');
    await t.throwsAsync(cloud.resizeDisk(disk.id, 8 * MiB));
    const strange = rig.imageOf({ id: 'd-strange' });
    writeFileSync(strange, '');
    truncateSync(strange, MiB);
    attachLoop(strange);
    await run('losetup', ['-d', before.devicePath ?? '']);
    await rig.restart();
    t.is((await cloud.getDisk(disk.id)).devicePath, devicePath, 'who uses it has noticed nothing');
    t.is(statSync(rig.imageOf(disk)).size, 8 * MiB);
    t.true(
      (await cloud.getDisk(lost.id)).health.ok,
      'a device that was gone, as after a reboot, is made again',
    );
    t.false(existsSync(strange));
    t.deepEqual(loopsOf(strange), []);
  },
);
