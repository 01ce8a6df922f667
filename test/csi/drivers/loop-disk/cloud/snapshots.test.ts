import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../../../../../linux/command.ts';
import { setFailpoint } from '../../../../../linux/failpoint.ts';
import { thawDevice } from '../../../../../linux/freeze.ts';
import { patience, until } from '../../../../environment.ts';
import { cloudRig, mountedDisk, rejects, settled, MiB, poolIn, region, zone } from '../driver-rig.ts';

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
    t.is((await cloud.getDisk(restored.id, { waitMs: 10_000 * patience })).state, 'available');
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
    const { disk, target } = await mountedDisk(rig);
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
    await cloud.getDisk(clone.id, { waitMs: 10_000 * patience });
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
    await until('the group is ready', async () => (await cloud.getSnapshotGroup(group.id)).ready);
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
      t.like(await until('the failure is told', asked), { code: failure.code });
    }
    const { id } = await cloud.createSnapshot({ name: 's', disk: disk.id });
    await settled(rig, id);
    using _point = setFailpoint('cloud.create.after-copy', '1*error(ENOSPC)');
    const request = { name: 'two', zone, sizeBytes: MiB, source: { snapshot: id } };
    const failed = await cloud.createDisk(request);
    await t.throwsAsync(cloud.getDisk(failed.id, { waitMs: 10_000 * patience }), { code: 'POOL_FULL' });
    t.false(existsSync(rig.imageOf(failed)));
    const second = await cloud.createDisk(request);
    t.is((await cloud.getDisk(second.id, { waitMs: 10_000 * patience })).state, 'available');
  },
);

test.serial('a snapshot is answered with the moment at which its disk was at rest', async (t) => {
  const rig = await cloudRig(t);
  const { cloud } = rig;
  const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  const create = {
    one: () => cloud.createSnapshot({ name: 'one', disk: id }),
    group: () => cloud.createSnapshotGroup({ name: 'group', disks: [id] }),
  };
  for (const take of [create.one, create.group]) {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    using _point = setFailpoint('cloud.snapshot.at-rest', async () => {
      reached.resolve();
      await goOn.promise;
    });
    const taken = take();
    await reached.promise;
    const before = new Date().toISOString();
    goOn.resolve();
    const { createdAt } = await taken;
    t.true(createdAt >= before, `${createdAt} is before ${before}`);
    t.is((await take()).createdAt, createdAt);
  }
  await until('all copies are there', async () =>
    (await cloud.listSnapshots()).items.every(({ state }) => state === 'ready'),
  );
  const moments = (await cloud.listSnapshots()).items.map(({ createdAt }) => createdAt);
  t.deepEqual(moments, [(await create.one()).createdAt, (await create.group()).createdAt]);
});

test.serial('a disk that has grown is whole in the copy that is begun anew', async (t) => {
  const rig = await cloudRig(t);
  const { cloud } = rig;
  const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  using _point = setFailpoint('cloud.snapshot.at-rest', '2*error(EIO)');
  const create = () => cloud.createSnapshot({ name: 's', disk: disk.id });
  await t.throwsAsync(create, rejects('INTERNAL', /EIO$/));
  await cloud.resizeDisk(disk.id, 2 * MiB);
  await t.throwsAsync(create, rejects('INTERNAL', /EIO$/));
  const { id, sizeBytes } = await create();
  t.is(sizeBytes, 2 * MiB);
  await settled(rig, id);
  t.is(statSync(join(poolIn(rig.dir), region, 'snapshots', `${id}.img`)).size, 2 * MiB);
});

test.serial(
  'a disk that grows before its copy begins is not cut to the size that was asked for',
  async (t) => {
    const { cloud } = await cloudRig(t);
    const { id } = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    using _point = setFailpoint('cloud.snapshot.at-rest', async () => {
      reached.resolve();
      await goOn.promise;
    });
    const snapshot = cloud.createSnapshot({ name: 's', disk: id });
    await reached.promise;
    const clone = await cloud.createDisk({ name: 'two', zone, sizeBytes: MiB, source: { disk: id } });
    await cloud.resizeDisk(id, 2 * MiB);
    const copied = t.throwsAsync(
      cloud.getDisk(clone.id, { waitMs: 10_000 * patience }),
      rejects('SIZE_TOO_SMALL', `1048576 bytes do not hold the 2097152 of its source '${id}'`),
    );
    goOn.resolve();
    await snapshot;
    await copied;
  },
);

for (const again of ['when it is asked for again', 'after a restart'])
  test.serial(`a group of which a copy failed is copied as a whole ${again}`, async (t) => {
    const rig = await cloudRig(t);
    const { cloud } = rig;
    const disks = await Promise.all(
      ['a', 'b'].map((name) => cloud.createDisk({ name, zone, sizeBytes: MiB })),
    );
    const write = (words: string) => {
      for (const disk of disks) writeFileSync(rig.imageOf(disk), words, { flag: 'r+' });
    };
    write('first words');
    const failing = Promise.withResolvers<void>();
    using _point = setFailpoint('cloud.snapshot.after-copy', () => {
      setFailpoint('cloud.snapshot.after-copy', 'off');
      write('other words');
      failing.resolve();
      throw new Error('ENOSPC');
    });
    const request = { name: 'both', disks: disks.map(({ id }) => id) };
    const { id, snapshots } = await cloud.createSnapshotGroup(request);
    await failing.promise;
    const states = async () => (await cloud.getSnapshotGroup(id)).snapshots.map(({ state }) => state);
    await until('the other one is there', async () => (await states()).includes('ready'));
    if (again === 'after a restart') await rig.restart();
    else await t.throwsAsync(cloud.createSnapshotGroup(request), { code: 'POOL_FULL' });
    await until('the group is ready', async () => (await cloud.getSnapshotGroup(id)).ready);
    for (const snapshot of snapshots) {
      const image = join(poolIn(rig.dir), region, 'snapshots', `${snapshot.id}.img`);
      t.is(readFileSync(image).toString('utf8', 0, 11), 'other words');
    }
    t.is((await cloud.createSnapshotGroup(request)).id, id);
  });

test.serial('a group whose disks could not be brought to rest says so, and is copied later', async (t) => {
  const { cloud } = await cloudRig(t);
  const disk = await cloud.createDisk({ name: 'one', zone, sizeBytes: MiB });
  using _point = setFailpoint('cloud.snapshot.at-rest', '1*error(EIO)');
  const request = { name: 'alone', disks: [disk.id] };
  await t.throwsAsync(
    cloud.createSnapshotGroup(request),
    rejects('INTERNAL', 'failpoint cloud.snapshot.at-rest: EIO'),
  );
  const { id } = await cloud.createSnapshotGroup(request);
  await until('the group is ready', async () => (await cloud.getSnapshotGroup(id)).ready);
});

test.serial('a file system that cannot go on does not hold up those that rest with it', async (t) => {
  const rig = await cloudRig(t, { reflink: true });
  const [one, broken, other] = [
    await mountedDisk(rig, 'one'),
    await mountedDisk(rig, 'broken'),
    await mountedDisk(rig, 'other'),
  ];
  using _point = setFailpoint('cloud.group.at-rest', () => replaceDescriptorOf(broken.target));
  const disks = [one, broken, other].map(({ disk }) => disk.id);
  await t.throwsAsync(
    rig.cloud.createSnapshotGroup({ name: 'all', disks }),
    rejects('INTERNAL', /^thaw .*EBADF/),
  );
  const rested: boolean[] = [];
  for (const { devicePath } of [one, broken, other]) rested.push(await thawDevice(devicePath));
  t.deepEqual(rested, [false, true, false]);
});

/** Puts a descriptor that nothing can be done with where this process has a directory open. */
function replaceDescriptorOf(directory: string): void {
  const isIt = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`) === directory;
    } catch {
      return false; // the one that lists them is closed by now
    }
  };
  const fd = Number(readdirSync('/proc/self/fd').find(isIt));
  closeSync(fd);
  const O_PATH = 0o10000000; // open(2)
  const opened: number[] = [];
  while (!opened.includes(fd)) opened.push(openSync('/', O_PATH));
  for (const other of opened.filter((each) => each !== fd)) closeSync(other);
}
