import { execFileSync } from 'node:child_process';
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { startCloud } from '../../../../csi/drivers/loop-disk/index.ts';
import { run } from '../../../../linux/command.ts';
import { setFailpoint } from '../../../../linux/failpoint.ts';
import { attachLoop, loopAt, loopsBelow, loopsOf } from '../../../../linux/loop-device.ts';
import { isMountPoint } from '../../../../linux/mount-info.ts';
import { eventually, skipUnless } from '../../../environment.ts';
import { cloudRig, GiB, MiB, place, poolIn, region, silentLog, zone } from './driver-rig.ts';
import type { CloudRig } from './driver-rig.ts';

const rejects = (code: string, message: string | RegExp) => ({ name: 'CloudError', code, message });

async function settled(rig: CloudRig, id: string): Promise<void> {
  await eventually(async () => (await rig.cloud.getSnapshot(id)).state === 'ready', 'the snapshot is there');
}

test('makes a disk: a sparse file that takes no space', async (t) => {
  const rig = await cloudRig(t);
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: GiB });
  t.like(disk, {
    name: 'one',
    zone,
    region,
    sizeBytes: GiB,
    state: 'available',
    type: 'sparse',
    cache: 'writeback',
  });
  t.deepEqual(disk.attachments, []);
  const image = statSync(rig.imageOf(disk));
  t.is(image.size, GiB);
  t.is(image.blocks, 0);
  t.deepEqual(await rig.cloud.getDisk(disk.id), disk);
});

test('the same name gives the same disk, and a conflict when it is asked for otherwise', async (t) => {
  const { cloud } = await cloudRig(t);
  const request = { name: 'one', zone, sizeBytes: 4 * MiB };
  const disk = await cloud.createDisk(request);
  t.is((await cloud.createDisk(request)).id, disk.id);
  await t.throwsAsync(
    cloud.createDisk({ ...request, sizeBytes: 8 * MiB }),
    rejects('NAME_CONFLICT', "disk 'one' exists already, of 4194304 bytes"),
  );
  const ids = await Promise.all(
    Array.from(
      { length: 10 },
      async () => (await cloud.createDisk({ name: 'ten times', zone, sizeBytes: MiB })).id,
    ),
  );
  t.is(new Set(ids).size, 1);
  t.is((await cloud.listDisks()).items.length, 2);
});

test('refuses what is not a disk', async (t) => {
  const { cloud } = await cloudRig(t);
  const good = { name: 'x', zone, sizeBytes: MiB };
  const cases: [object, string, RegExp | string][] = [
    [{ ...good, name: '' }, 'INVALID_PARAMETER', 'name must be text of 1 to 255 characters'],
    [{ ...good, sizeBytes: 0 }, 'INVALID_PARAMETER', 'sizeBytes 0 is not a whole number of bytes above 0'],
    [{ ...good, sizeBytes: 1.5 }, 'INVALID_PARAMETER', /1\.5 is not a whole number/],
    [{ ...good, zone: '../x' }, 'INVALID_PARAMETER', /^zone "\.\.\/x" is not a name/],
    [{ ...good, id: 'a/b' }, 'INVALID_PARAMETER', /^id "a\/b" is not a name/],
    [{ ...good, zone: 'nowhere' }, 'ZONE_NOT_FOUND', "there is no zone 'nowhere'"],
    [{ ...good, cache: 'fast' }, 'INVALID_PARAMETER', 'cache "fast" is not one of none, writeback'],
    [{ ...good, source: { snapshot: 's-0' } }, 'SNAPSHOT_NOT_FOUND', "there is no snapshot 's-0'"],
    [{ ...good, source: { disk: 'd-0' } }, 'DISK_NOT_FOUND', "there is no disk 'd-0'"],
  ];
  for (const [request, code, message] of cases)
    await t.throwsAsync(cloud.createDisk(request as typeof good), rejects(code, message));
  t.deepEqual((await cloud.listDisks()).items, []);
});

test('a zone promises no more than it has', async (t) => {
  const { cloud } = await cloudRig(t);
  await cloud.putZone(zone, { region, capacityBytes: 10 * MiB });
  const disk = await cloud.createDisk({ name: 'six', zone, sizeBytes: 6 * MiB });
  await t.throwsAsync(
    cloud.createDisk({ name: 'more', zone, sizeBytes: 5 * MiB }),
    rejects('ZONE_FULL', `zone '${zone}' has 4194304 of 10485760 bytes left, 5242880 were asked for`),
  );
  await t.throwsAsync(cloud.resizeDisk(disk.id, 11 * MiB), { code: 'ZONE_FULL' });
  // At once they must not get more than is there either.
  const results = await Promise.allSettled(
    ['a', 'b', 'c'].map((name) => cloud.createDisk({ name, zone, sizeBytes: 2 * MiB })),
  );
  t.is(results.filter(({ status }) => status === 'fulfilled').length, 2);
  t.is((await cloud.getZone(zone)).allocatedBytes, 10 * MiB);
});

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

test('deletes disk and file; a disk that is not there is deleted', async (t) => {
  const rig = await cloudRig(t);
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  await rig.cloud.deleteDisk(disk.id);
  t.false(existsSync(rig.imageOf(disk)));
  await t.throwsAsync(rig.cloud.getDisk(disk.id), rejects('DISK_NOT_FOUND', `there is no disk '${disk.id}'`));
  await t.notThrowsAsync(rig.cloud.deleteDisk(disk.id));
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

test('the cache mode changes on the live device', async (t) => {
  const { cloud } = await cloudRig(t);
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: 4 * MiB, cache: 'writeback' });
  const { devicePath = '' } = await cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' });
  t.false(loopAt(devicePath)?.directIo);
  t.is((await cloud.modifyDisk(id, { cache: 'none' })).cache, 'none');
  t.true(loopAt(devicePath)?.directIo);
});

test('lists in pages that go on where they were cut', async (t) => {
  const { cloud } = await cloudRig(t);
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c']) ids.push((await cloud.createDisk({ name, zone, sizeBytes: MiB })).id);
  const first = await cloud.listDisks({ limit: 2 });
  t.deepEqual(
    first.items.map(({ id }) => id),
    ids.slice(0, 2),
  );
  // The last item of the page goes, another one comes.
  await cloud.deleteDisk(ids[1] ?? '');
  const { id: fourth } = await cloud.createDisk({ name: 'd', zone, sizeBytes: MiB });
  const second = await cloud.listDisks({ token: first.next ?? '' });
  t.deepEqual(
    second.items.map(({ id }) => id),
    [ids[2], fourth],
  );
  t.is(second.next, undefined);
  await t.throwsAsync(
    cloud.listDisks({ token: 'mine' }),
    rejects('INVALID_TOKEN', "token 'mine' was not given by a list"),
  );
});

for (const reflink of [true, false]) {
  const pool = reflink ? 'a pool that shares blocks' : 'any other pool';

  test(`snapshots hold what was written before, and restore into larger disks (${pool})`, async (t) => {
    const rig = await cloudRig(t, { reflink });
    const { cloud } = rig;
    const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: 8 * MiB });
    writeFileSync(rig.imageOf(disk), 'first words', { flag: 'r+' });
    const snapshot = await cloud.createSnapshot({ name: 'early', disk: disk.id });
    t.like(snapshot, {
      disk: disk.id,
      diskName: 'one',
      sizeBytes: 8 * MiB,
      state: reflink ? 'ready' : 'copying',
    });
    await settled(rig, snapshot.id);
    writeFileSync(rig.imageOf(disk), 'other words', { flag: 'r+' });
    const source = { snapshot: snapshot.id };
    const restored = await cloud.createDisk({ name: 'restored', zone, sizeBytes: 16 * MiB, source });
    t.is((await cloud.getDisk(restored.id, { waitMs: 10_000 })).state, 'available');
    t.is(statSync(rig.imageOf(restored)).size, 16 * MiB);
    t.is(readFileSync(rig.imageOf(restored)).toString('utf8', 0, 11), 'first words');
    t.true((await cloud.getDisk(restored.id)).usedBytes < MiB, 'holes stay holes');
    await t.throwsAsync(cloud.createDisk({ name: 'small', zone, sizeBytes: 4 * MiB, source }), {
      code: 'SIZE_TOO_SMALL',
      message: `4194304 bytes do not hold the 8388608 of its source '${snapshot.id}'`,
    });
    t.deepEqual((await cloud.listDisks({ name: 'small' })).items, []);
  });

  test(`a snapshot of a mounted disk has what its file system held in memory (${pool})`, async (t) => {
    const rig = await cloudRig(t, { reflink });
    const { cloud } = rig;
    const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: 32 * MiB });
    const { devicePath = '' } = await cloud.attachDisk(disk.id, { instance: 'node-1', mode: 'read-write' });
    await run('mkfs.ext4', ['-q', devicePath]);
    const target = join(rig.dir, 'mounted');
    await run('mkdir', [target]);
    await run('mount', [devicePath, target]);
    writeFileSync(join(target, 'data'), 'not synced by anybody');
    const snapshot = await cloud.createSnapshot({ name: 'live', disk: disk.id });
    await settled(rig, snapshot.id);
    t.notThrows(() => writeFileSync(join(target, 'data'), 'written on'), 'the file system goes on');
    const clone = await cloud.createDisk({
      name: 'two',
      zone,
      sizeBytes: 32 * MiB,
      source: { snapshot: snapshot.id },
    });
    await cloud.getDisk(clone.id, { waitMs: 10_000 });
    const second = await cloud.attachDisk(clone.id, { instance: 'node-2', mode: 'read-write' });
    const other = join(rig.dir, 'other');
    await run('mkdir', [other]);
    await run('mount', [second.devicePath ?? '', other]);
    t.is(readFileSync(join(other, 'data'), 'utf8'), 'not synced by anybody');
  });

  test(`a group of snapshots is of one moment (${pool})`, async (t) => {
    const rig = await cloudRig(t, { reflink });
    const { cloud } = rig;
    const disks = await Promise.all(
      ['a', 'b'].map((name) => cloud.createDisk({ name, zone, sizeBytes: 4 * MiB })),
    );
    const ids = disks.map(({ id }) => id);
    const group = await cloud.createSnapshotGroup({ name: 'both', disks: ids });
    t.deepEqual(
      group.snapshots.map(({ disk }) => disk),
      ids,
    );
    await eventually(async () => (await cloud.getSnapshotGroup(group.id)).ready, 'the group is ready');
    t.is((await cloud.createSnapshotGroup({ name: 'both', disks: ids.toReversed() })).id, group.id);
    await t.throwsAsync(cloud.createSnapshotGroup({ name: 'both', disks: ids.slice(1) }), {
      code: 'NAME_CONFLICT',
    });
    const [member] = group.snapshots;
    await t.throwsAsync(cloud.deleteSnapshot(member?.id ?? ''), {
      code: 'INVALID_PARAMETER',
      message: `snapshot '${member?.id}' is part of group '${group.id}', which is deleted as a whole`,
    });
    await cloud.deleteSnapshotGroup(group.id);
    t.deepEqual((await cloud.listSnapshots()).items, []);
    t.deepEqual(readdirSync(join(poolIn(rig.dir), region, 'snapshots')), []);
  });
}

test('a snapshot outlives its disk; the same name gives the same one', async (t) => {
  const rig = await cloudRig(t);
  const { cloud } = rig;
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  const other = await cloud.createDisk({ name: 'two', zone, sizeBytes: MiB });
  const snapshot = await cloud.createSnapshot({ name: 's', disk: id });
  t.is((await cloud.createSnapshot({ name: 's', disk: id })).id, snapshot.id);
  await t.throwsAsync(
    cloud.createSnapshot({ name: 's', disk: other.id }),
    rejects('NAME_CONFLICT', `snapshot 's' exists already, of disk '${id}'`),
  );
  await settled(rig, snapshot.id);
  await cloud.deleteDisk(id);
  t.is((await cloud.getSnapshot(snapshot.id)).state, 'ready');
  await cloud.deleteSnapshot(snapshot.id);
  await t.notThrowsAsync(cloud.deleteSnapshot(snapshot.id));
});

test.serial(
  'a copy under way shows its progress and keeps its source from being deleted or attached',
  async (t) => {
    const rig = await cloudRig(t);
    const { cloud } = rig;
    const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    using _point = setFailpoint('cloud.snapshot.after-copy', async () => {
      reached.resolve();
      await goOn.promise;
    });
    const snapshot = await cloud.createSnapshot({ name: 's', disk: disk.id });
    await reached.promise;
    t.is((await cloud.getSnapshot(snapshot.id)).state, 'copying');
    await t.throwsAsync(cloud.deleteDisk(disk.id), rejects('IN_USE', `disk '${disk.id}' is being copied`));
    await t.throwsAsync(cloud.attachDisk(disk.id, { instance: 'node-1', mode: 'read-write' }), {
      code: 'NOT_READY',
    });
    await t.throwsAsync(
      cloud.createDisk({ name: 'early', zone, sizeBytes: MiB, source: { snapshot: snapshot.id } }),
      rejects('NOT_READY', `snapshot '${snapshot.id}' is not ready yet`),
    );
    goOn.resolve();
    await settled(rig, snapshot.id);
    await t.notThrowsAsync(cloud.deleteDisk(disk.id));
  },
);

test.serial(
  'a copy that fails leaves nothing, says so, and succeeds when it is asked for again',
  async (t) => {
    const rig = await cloudRig(t);
    const { cloud } = rig;
    const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
    {
      using _point = setFailpoint('cloud.snapshot.after-copy', '1*error(ENOSPC)');
      await cloud.createSnapshot({ name: 's', disk: disk.id });
      const failure = rejects('POOL_FULL', /^the pool has no space left: /);
      const asked = async () => {
        try {
          await cloud.createSnapshot({ name: 's', disk: disk.id });
          return undefined;
        } catch (error) {
          return error as Error;
        }
      };
      t.like(await eventually(asked, 'the failure is told'), { code: failure.code });
    }
    const { id } = await cloud.createSnapshot({ name: 's', disk: disk.id });
    await settled(rig, id);
    using _point = setFailpoint('cloud.create.after-copy', '1*error(ENOSPC)');
    const request = { name: 'two', zone, sizeBytes: MiB, source: { snapshot: id } };
    const failed = await cloud.createDisk(request);
    await t.throwsAsync(cloud.getDisk(failed.id, { waitMs: 10_000 }), { code: 'POOL_FULL' });
    t.false(existsSync(rig.imageOf(failed)));
    const second = await cloud.createDisk(request);
    t.is((await cloud.getDisk(second.id, { waitMs: 10_000 })).state, 'available');
  },
);

test('a full pool refuses new disks, and keeps the old ones', async (t) => {
  const rig = await cloudRig(t, { reflink: true });
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  const { stdout } = await run('df', ['--output=avail', '-B1', poolIn(rig.dir)]);
  const free = Number(stdout.split('\n')[1]);
  await run('fallocate', ['-l', String(free - 20 * MiB), join(poolIn(rig.dir), 'ballast')]);
  await t.throwsAsync(rig.cloud.createDisk({ name: 'two', zone, sizeBytes: MiB }), { code: 'POOL_FULL' });
  await t.throwsAsync(rig.cloud.createSnapshot({ name: 's', disk: disk.id }), {
    code: 'POOL_FULL',
    message: /^the pool has \d+ bytes left, and \d+ are needed$/,
  });
  rmSync(join(poolIn(rig.dir), 'ballast'));
  await t.notThrowsAsync(rig.cloud.createDisk({ name: 'two', zone, sizeBytes: MiB }));
});

test('a disk in use is not detached, unless it is pulled out: then its user gets errors and nothing is written', async (t) => {
  const rig = await cloudRig(t);
  const { cloud } = rig;
  const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: 32 * MiB });
  const { devicePath = '' } = await cloud.attachDisk(disk.id, { instance: 'node-1', mode: 'read-write' });
  await run('mkfs.ext4', ['-q', devicePath]);
  const target = join(rig.dir, 'mounted');
  await run('mkdir', [target]);
  await run('mount', [devicePath, target]);
  writeFileSync(join(target, 'data'), 'safe', { flush: true });
  await t.throwsAsync(
    cloud.detachDisk(disk.id, { instance: 'node-1' }),
    rejects('IN_USE', `disk '${disk.id}' is in use at ${devicePath}`),
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
  await eventually(() => loopAt(devicePath) === undefined, 'the old device ends at its last close');
});

test('twenty disks at once: made, attached, detached, deleted', async (t) => {
  const rig = await cloudRig(t);
  const { cloud } = rig;
  const names = Array.from({ length: 20 }, (_, index) => `disk-${index}`);
  await Promise.all(
    names.map(async (name) => {
      const { id } = await cloud.createDisk({ name, zone, sizeBytes: 4 * MiB });
      const { devicePath = '' } = await cloud.attachDisk(id, { instance: 'node-1', mode: 'read-write' });
      t.is(loopAt(devicePath)?.backingFile, rig.imageOf({ id }));
      await cloud.detachDisk(id, { instance: 'node-1' });
      await cloud.deleteDisk(id);
    }),
  );
  t.deepEqual(loopsBelow(poolIn(rig.dir)), []);
  t.deepEqual(readdirSync(join(poolIn(rig.dir), region, zone)), []);
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

test('a missing image shows in the health of its disk', async (t) => {
  const rig = await cloudRig(t);
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  rmSync(rig.imageOf(disk));
  await rig.restart();
  const { health } = await rig.cloud.getDisk(disk.id);
  t.deepEqual(health, { ok: false, message: `image ${rig.imageOf(disk)} is missing` });
});

test('answers over HTTP as it says', async (t) => {
  const rig = await cloudRig(t);
  const curl = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await run('curl', ['-s', '--unix-socket', join(rig.dir, 'cloud.sock'), ...args])).stdout);
  const there = execFileSync('sh', ['-c', 'command -v curl || true'], { encoding: 'utf8' }) !== '';
  if (skipUnless(t, there, 'curl is not installed')) return;
  t.deepEqual(await curl('http://cloud/v1/disks'), { items: [] });
  t.deepEqual(await curl('http://cloud/v2/x'), {
    error: { code: 'NO_SUCH_ROUTE', message: 'there is no GET /v2/x' },
  });
  t.deepEqual(await curl('-d', 'no', 'http://cloud/v1/disks'), {
    error: { code: 'INVALID_PARAMETER', message: 'the request is not JSON' },
  });
});

test('two clouds do not serve one socket', async (t) => {
  const rig = await cloudRig(t);
  const socketPath = join(rig.dir, 'cloud.sock');
  await t.throwsAsync(startCloud({ dir: join(place(t), 'pool'), socketPath, log: silentLog }), {
    message: `${socketPath}: another cloud already serves this socket; stop it first`,
  });
});
