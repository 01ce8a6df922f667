import {
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { run } from '../../../../../linux/command.ts';
import { probeDisk } from '../../../../../linux/disk-content.ts';
import { usageOf } from '../../../../../linux/filesystem.ts';
import { loopAt, loopsBelow } from '../../../../../linux/loop-device.ts';
import { mountsBelow } from '../../../../../linux/mount-info.ts';
import {
  blockCapability,
  driverRig,
  fails,
  dropVolume,
  makeVolume,
  MiB,
  mountCapability,
  pathsOf,
  poolIn,
  useVolume,
} from '../driver-rig.ts';

for (const fsType of ['ext4', 'xfs'] as const)
  test(`a disk is formatted once, mounted, written to its end, and keeps its data (${fsType})`, async (t) => {
    const rig = await driverRig(t);
    const capability = mountCapability(fsType);
    const volumeId = await makeVolume(rig, 'pvc-1', {
      sizeBytes: fsType === 'xfs' ? 300 * MiB : 64 * MiB,
      capability,
    });
    const used = await useVolume(rig, volumeId, { capability });
    t.like(mountsBelow(used.targetPath)[0], { type: fsType });
    writeFileSync(join(used.targetPath, 'data'), 'kept', { flush: true });
    const { capacityBytes } = await usageOf(used.targetPath);
    t.throws(() => writeFileSync(join(used.targetPath, 'too-much'), Buffer.alloc(capacityBytes + MiB)), {
      code: 'ENOSPC',
    });
    await dropVolume(rig, used);
    t.false(existsSync(used.targetPath));
    t.deepEqual(loopsBelow(poolIn(rig.dir)), []);
    const again = await useVolume(rig, volumeId, { capability, name: 'second' });
    t.is(readFileSync(join(again.targetPath, 'data'), 'utf8'), 'kept');
    await dropVolume(rig, again);
    await rig.controller.deleteVolume({ volumeId });
    t.false(existsSync(rig.imageOf({ id: volumeId })));
  });

test('a disk with anything on it is not formatted', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  writeFileSync(rig.imageOf({ id: volumeId }), 'a database without a file system', { flag: 'r+' });
  const message =
    /is not empty and has no file system that can be mounted \(unknown data\); it is left as it is$/;
  await fails(t, useVolume(rig, volumeId), 'FAILED_PRECONDITION', message);
  t.is(readFileSync(rig.imageOf({ id: volumeId })).toString('utf8', 0, 10), 'a database');
  const other = await makeVolume(rig, 'pvc-2');
  await run('mkswap', [rig.imageOf({ id: other })]);
  await fails(t, useVolume(rig, other), 'FAILED_PRECONDITION', /\(swap\); it is left as it is$/);
  const third = await makeVolume(rig, 'pvc-3');
  await run('mkfs.ext4', ['-q', rig.imageOf({ id: third })]);
  await fails(
    t,
    useVolume(rig, third, { capability: mountCapability('xfs') }),
    'FAILED_PRECONDITION',
    /has a file system of type ext4, not xfs; it is not formatted again$/,
  );
});

test('mount options reach the file system, and wrong ones are named', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const withFlags = (mountFlags: string[]) => ({
    ...mountCapability(),
    mount: { fsType: 'ext4', mountFlags, volumeMountGroup: '' },
  });
  await fails(
    t,
    useVolume(rig, volumeId, { capability: withFlags(['noatime', 'no-such-option']) }),
    'INTERNAL',
    /^mount ext4 on .*: invalid argument \(EINVAL\), with options 'noatime,no-such-option'$/,
  );
  const used = await useVolume(rig, volumeId, { capability: withFlags(['noatime', 'nodev,commit=30']) });
  const [mount] = mountsBelow(used.stagingTargetPath);
  t.true(mount?.options.includes('noatime') && mount.options.includes('nodev'));
  t.true(mount?.superOptions.includes('commit=30'));
});

test('read-only for readers on several nodes; the disk cannot be written', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const writing = await useVolume(rig, volumeId);
  writeFileSync(join(writing.targetPath, 'data'), 'to be read');
  await dropVolume(rig, writing);
  const capability = mountCapability('', 'MULTI_NODE_READER_ONLY');
  await rig.controller.controllerPublishVolume({ volumeId, nodeId: 'node-2', volumeCapability: capability });
  const used = await useVolume(rig, volumeId, { capability });
  t.is(readFileSync(join(used.targetPath, 'data'), 'utf8'), 'to be read');
  t.throws(() => writeFileSync(join(used.targetPath, 'data'), 'x'), { code: 'EROFS' });
  const empty = await makeVolume(rig, 'pvc-2');
  await fails(
    t,
    useVolume(rig, empty, { capability, name: 'b' }),
    'FAILED_PRECONDITION',
    /is empty, and read-only: it cannot be formatted$/,
  );
});

test('one publish of a volume may be read-only, another not', async (t) => {
  const rig = await driverRig(t);
  const used = await useVolume(rig, await makeVolume(rig, 'pvc-1'));
  const second = { ...used, targetPath: pathsOf(rig, 'reader').targetPath, readonly: true };
  await rig.node.nodePublishVolume(second);
  t.throws(() => writeFileSync(join(second.targetPath, 'x'), ''), { code: 'EROFS' });
  t.notThrows(() => writeFileSync(join(used.targetPath, 'x'), ''));
  await fails(
    t,
    rig.node.nodePublishVolume({ ...second, readonly: false }),
    'ALREADY_EXISTS',
    `${second.targetPath} is published already, read-only`,
  );
  const alone = mountCapability('', 'SINGLE_NODE_SINGLE_WRITER');
  await fails(
    t,
    rig.node.nodePublishVolume({
      ...used,
      volumeCapability: alone,
      targetPath: pathsOf(rig, 'third').targetPath,
    }),
    'FAILED_PRECONDITION',
    /^the volume is published at .* already, and access mode SINGLE_NODE_SINGLE_WRITER allows one place$/,
  );
});

test('a block volume is the device itself, which several nodes may share', async (t) => {
  const rig = await driverRig(t);
  const capability = blockCapability('MULTI_NODE_MULTI_WRITER');
  const volumeId = await makeVolume(rig, 'pvc-1', { sizeBytes: 8 * MiB, capability });
  const { publishContext } = await rig.controller.controllerPublishVolume({
    volumeId,
    nodeId: 'node-2',
    volumeCapability: capability,
  });
  const used = await useVolume(rig, volumeId, { capability });
  t.is(used.publishContext['devicePath'], publishContext['devicePath']);
  t.true(lstatSync(used.targetPath).isBlockDevice());
  const fd = openSync(used.targetPath, 'r+');
  writeFileSync(fd, 'raw bytes');
  closeSync(fd);
  const { usage } = await rig.node.nodeGetVolumeStats({ volumeId, volumePath: used.targetPath });
  t.deepEqual(usage, [{ unit: 'BYTES', total: 8 * MiB, used: 0, available: 0 }]);
  const { nodeExpansionRequired } = await rig.controller.controllerExpandVolume({
    volumeId,
    capacityRange: { requiredBytes: 16 * MiB },
    volumeCapability: capability,
  });
  t.false(nodeExpansionRequired);
  t.is((await rig.node.nodeExpandVolume({ volumeId, volumePath: used.targetPath })).capacityBytes, 16 * MiB);
  await dropVolume(rig, used);
  t.false(existsSync(used.targetPath));
  t.truthy(loopAt(publishContext['devicePath'] ?? ''), 'node-2 has it still');
});

test('a node that is lost loses its disk, and the next one has all that was synced', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const lost = await useVolume(rig, volumeId);
  writeFileSync(join(lost.targetPath, 'data'), 'synced', { flush: true });
  await rig.controller.controllerUnpublishVolume({ volumeId, nodeId: 'node-1' });
  const stats = await rig.node.nodeGetVolumeStats({ volumeId, volumePath: lost.targetPath });
  t.is(stats.volumeCondition?.abnormal, true);
  t.regex(stats.volumeCondition?.message ?? '', /was detached while it was mounted$/);
  t.throws(() => writeFileSync(join(lost.targetPath, 'late'), 'x'.repeat(MiB), { flush: true }));
  const elsewhere = await useVolume(rig, volumeId, { nodeId: 'node-2', name: 'elsewhere' });
  t.is(readFileSync(join(elsewhere.targetPath, 'data'), 'utf8'), 'synced');
  t.false(existsSync(join(elsewhere.targetPath, 'late')));
  // The lost node comes back and cleans up.
  await rig.node.nodeUnpublishVolume(lost);
  await rig.node.nodeUnstageVolume(lost);
  t.is(loopsBelow(poolIn(rig.dir)).length, 1);
});

test('paths may lead through symlinks, as a state folder does that was moved', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  mkdirSync(join(rig.dir, 'elsewhere'));
  symlinkSync('elsewhere', join(rig.dir, 'staging'));
  symlinkSync('elsewhere', join(rig.dir, 'pods'));
  const used = await useVolume(rig, volumeId, { name: 'linked' });
  await useVolume(rig, volumeId, { name: 'linked' });
  t.is(mountsBelow(join(rig.dir, 'elsewhere')).length, 2, 'staged once and published once');
  await dropVolume(rig, used);
  t.deepEqual(mountsBelow(join(rig.dir, 'elsewhere')), []);
});

test('tells usage and condition of a volume', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const used = await useVolume(rig, volumeId);
  writeFileSync(join(used.targetPath, 'data'), Buffer.alloc(8 * MiB));
  const { usage, volumeCondition } = await rig.node.nodeGetVolumeStats({
    volumeId,
    volumePath: used.targetPath,
  });
  const [bytes, inodes] = usage;
  t.is(bytes?.unit, 'BYTES');
  t.true((bytes?.used ?? 0) >= 8 * MiB && (bytes?.total ?? 0) <= 64 * MiB);
  t.is(inodes?.unit, 'INODES');
  t.deepEqual(volumeCondition, { abnormal: false, message: 'in order' });
  await fails(
    t,
    rig.node.nodeGetVolumeStats({ volumeId, volumePath: rig.dir }),
    'NOT_FOUND',
    `volume '${volumeId}' is not at ${rig.dir}`,
  );
});

test('a device that became another disk is not taken for this one', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const other = await makeVolume(rig, 'pvc-2');
  const used = await useVolume(rig, volumeId);
  const { devicePath } = await rig.cloud.attachDisk(other, { instance: 'node-1', mode: 'read-write' });
  // As after a reboot, when the numbers are dealt out anew: what the object says is the other's device.
  const stale = {
    ...used,
    ...pathsOf(rig, 'stale'),
    publishContext: { diskId: volumeId, devicePath: devicePath ?? '' },
  };
  await rig.node.nodeStageVolume(stale);
  t.is(mountsBelow(stale.stagingTargetPath)[0]?.source, used.publishContext['devicePath']);
  t.deepEqual(await probeDisk(devicePath ?? ''), { kind: 'empty' });
  await fails(
    t,
    rig.node.nodeStageVolume({
      ...stale,
      publishContext: { diskId: 'd-gone', devicePath: devicePath ?? '' },
    }),
    'FAILED_PRECONDITION',
    new RegExp(`^disk 'd-gone' is not attached: ${devicePath} is .*${other}\\.img$`),
  );
});

test('the target of an unpublish is never deleted with something in it', async (t) => {
  const rig = await driverRig(t);
  const targetPath = join(rig.dir, 'full');
  mkdirSync(targetPath);
  writeFileSync(join(targetPath, 'data'), 'of somebody');
  await fails(
    t,
    rig.node.nodeUnpublishVolume({ volumeId: 'd-0', targetPath }),
    'INTERNAL',
    /^target path .* could not be removed: ENOTEMPTY/,
  );
  t.true(existsSync(join(targetPath, 'data')));
});
