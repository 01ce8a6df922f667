import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { startCloud } from '../../../../../csi/drivers/loop-disk/index.ts';
import { run } from '../../../../../linux/command.ts';
import { loopAt, loopsBelow } from '../../../../../linux/loop-device.ts';
import { skipUnless, until } from '../../../../environment.ts';
import { cloudRig, rejects, GiB, MiB, poolIn, region, silentLog, zone } from '../driver-rig.ts';

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

test('deletes disk and file; a disk that is not there is deleted', async (t) => {
  const rig = await cloudRig(t);
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  await rig.cloud.deleteDisk(disk.id);
  t.false(existsSync(rig.imageOf(disk)));
  await t.throwsAsync(rig.cloud.getDisk(disk.id), rejects('DISK_NOT_FOUND', `there is no disk '${disk.id}'`));
  await t.notThrowsAsync(rig.cloud.deleteDisk(disk.id));
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
  // xfs frees what was removed in the background.
  const two = await until('the pool has room', () =>
    rig.cloud.createDisk({ name: 'two', zone, sizeBytes: MiB }),
  );
  t.is(two.name, 'two');
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

test('a second cloud on the socket of another is refused, and leaves alone what that one is making', async (t) => {
  const rig = await cloudRig(t);
  const disk = await rig.cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  const inTheMaking = rig.imageOf({ id: 'd-0' });
  copyFileSync(rig.imageOf(disk), inTheMaking);
  const socketPath = join(rig.dir, 'cloud.sock');
  await t.throwsAsync(startCloud({ dir: poolIn(rig.dir), socketPath, log: silentLog }), {
    message: `${socketPath}: another cloud already serves this socket; stop it first`,
  });
  t.true(existsSync(inTheMaking));
});
