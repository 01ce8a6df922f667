import {
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  closeSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { CodeName, CsiError } from '../../../../csi/error.ts';
import { run } from '../../../../linux/command.ts';
import { probeDisk } from '../../../../linux/disk-content.ts';
import { usageOf } from '../../../../linux/filesystem.ts';
import { loopAt, loopsBelow } from '../../../../linux/loop-device.ts';
import { isMountPoint, mountsBelow } from '../../../../linux/mount-info.ts';
import { eventually, hasCapability, skipUnless } from '../../../environment.ts';
import {
  blockCapability,
  driverRig,
  dropVolume,
  GiB,
  makeVolume,
  MiB,
  mountCapability,
  pathsOf,
  poolIn,
  region,
  useVolume,
  zone,
} from './driver-rig.ts';

/** ava compares name, code and message; gRPC's code name is what a reader knows. */
async function fails(
  t: ExecutionContext,
  call: Promise<unknown>,
  codeName: CodeName,
  message: string | RegExp,
): Promise<void> {
  const error = await t.throwsAsync(call, { name: 'CsiError', message });
  t.is((error as CsiError).codeName, codeName);
}

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

test('every call may be made twice, also at once', async (t) => {
  const rig = await driverRig(t);
  const create = () => makeVolume(rig, 'pvc-1');
  const [volumeId, other] = await Promise.all([create(), create()]);
  t.is(volumeId, other);
  const used = await useVolume(rig, volumeId);
  await useVolume(rig, volumeId);
  t.is(mountsBelow(join(rig.dir, 'pods')).length, 1);
  const twice = async (call: () => Promise<unknown>) => {
    const results = await Promise.allSettled([call(), call()]);
    for (const result of results)
      if (result.status === 'rejected') t.is((result.reason as CsiError).codeName, 'ABORTED');
    await t.notThrowsAsync(call());
  };
  await twice(() => rig.node.nodeStageVolume(used));
  await twice(() => rig.node.nodePublishVolume(used));
  await twice(() => rig.node.nodeUnpublishVolume(used));
  await twice(() => rig.node.nodeUnstageVolume(used));
  await twice(() => rig.controller.controllerUnpublishVolume({ volumeId, nodeId: 'node-1' }));
  await twice(() => rig.controller.deleteVolume({ volumeId }));
});

test('a volume is attached to one node, by name of the holder', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const request = { volumeId, nodeId: 'node-1', volumeCapability: mountCapability() };
  await rig.controller.controllerPublishVolume(request);
  await fails(
    t,
    rig.controller.controllerPublishVolume({ ...request, nodeId: 'node-2' }),
    'FAILED_PRECONDITION',
    `disk '${volumeId}' is attached to 'node-1' (read-write)`,
  );
  await fails(
    t,
    rig.controller.deleteVolume({ volumeId }),
    'FAILED_PRECONDITION',
    `disk '${volumeId}' is attached to 'node-1'`,
  );
  await fails(
    t,
    rig.controller.controllerPublishVolume({ ...request, nodeId: 'nobody' }),
    'NOT_FOUND',
    "there is no instance 'nobody'",
  );
  await fails(
    t,
    rig.controller.controllerPublishVolume({ ...request, volumeId: 'd-0' }),
    'NOT_FOUND',
    "volume 'd-0' does not exist",
  );
  const { entries } = await rig.controller.listVolumes({});
  t.deepEqual(entries[0]?.status?.publishedNodeIds, ['node-1']);
  await rig.controller.controllerUnpublishVolume({ volumeId, nodeId: '' });
  t.deepEqual((await rig.controller.controllerGetVolume({ volumeId })).status, {
    publishedNodeIds: [],
    volumeCondition: { abnormal: false, message: 'not attached' },
  });
});

test('refuses what a disk cannot do', async (t) => {
  const { controller } = await driverRig(t);
  const create = (more: object) =>
    controller.createVolume({ name: 'x', volumeCapabilities: [mountCapability()], ...more });
  await fails(t, create({ name: '' }), 'INVALID_ARGUMENT', 'name is missing in the request');
  await fails(
    t,
    create({ volumeCapabilities: [] }),
    'INVALID_ARGUMENT',
    'volume capabilities are missing in the request',
  );
  await fails(
    t,
    create({ volumeCapabilities: [mountCapability('', 'MULTI_NODE_MULTI_WRITER')] }),
    'INVALID_ARGUMENT',
    'volume capability not supported: access mode MULTI_NODE_MULTI_WRITER is not possible for a file system on a disk; it is for volumeMode Block',
  );
  await fails(
    t,
    create({ volumeCapabilities: [mountCapability('btrfs')] }),
    'INVALID_ARGUMENT',
    "volume capability not supported: fsType 'btrfs' is not supported; use one of ext2, ext3, ext4, xfs",
  );
  await fails(
    t,
    create({ parameters: { tpye: 'x' } }),
    'INVALID_ARGUMENT',
    "unknown parameter 'tpye'; there are: type, cache",
  );
  await fails(
    t,
    create({ parameters: { cache: 'fast' } }),
    'INVALID_ARGUMENT',
    "parameter cache 'fast' is not one of none, writeback",
  );
  await fails(
    t,
    create({ capacityRange: { requiredBytes: 2 * MiB, limitBytes: MiB } }),
    'INVALID_ARGUMENT',
    /^required 2097152 bytes are more than the limit/,
  );
  await fails(
    t,
    create({ capacityRange: { requiredBytes: 2 ** 50 } }),
    'OUT_OF_RANGE',
    /more than the \d+ of the largest disk$/,
  );
  await fails(
    t,
    create({ capacityRange: { limitBytes: 200 * MiB }, volumeCapabilities: [mountCapability('xfs')] }),
    'OUT_OF_RANGE',
    'the smallest disk for this has 314572800 bytes, more than the limit of 209715200',
  );
  await fails(
    t,
    create({
      accessibilityRequirements: { requisite: [{ segments: { 'topology.kubernetes.io/zone': 'mars' } }] },
    }),
    'RESOURCE_EXHAUSTED',
    /^none of the zones cn-hangzhou-b is in the accessibility requirements/,
  );
  await fails(
    t,
    create({ volumeContentSource: { snapshot: { snapshotId: 's-0' } } }),
    'NOT_FOUND',
    "there is no snapshot 's-0'",
  );
  t.deepEqual((await controller.listVolumes({})).entries, []);
});

test('the same name for another volume is ALREADY_EXISTS', async (t) => {
  const rig = await driverRig(t);
  await makeVolume(rig, 'pvc-1', { sizeBytes: 4 * MiB });
  await fails(
    t,
    makeVolume(rig, 'pvc-1', { sizeBytes: 8 * MiB }),
    'ALREADY_EXISTS',
    "disk 'pvc-1' exists already, of 4194304 bytes",
  );
  await t.notThrowsAsync(makeVolume(rig, 'pvc-1', { sizeBytes: 3 * MiB + 1 }), 'large enough');
});

test('a disk lives in the zone that the topology prefers, while it has room', async (t) => {
  const rig = await driverRig(t);
  await rig.cloud.putZone('cn-hangzhou-d', { region, capacityBytes: 100 * MiB });
  const segments = (name: string) => ({
    segments: { 'topology.kubernetes.io/zone': name, 'topology.kubernetes.io/region': region },
  });
  const accessibilityRequirements = {
    requisite: [segments(zone), segments('cn-hangzhou-d')],
    preferred: [segments('cn-hangzhou-d'), segments(zone)],
  };
  const create = async (name: string, requiredBytes: number) =>
    (
      await rig.controller.createVolume({
        name,
        capacityRange: { requiredBytes },
        volumeCapabilities: [mountCapability()],
        accessibilityRequirements,
      })
    ).volume;
  const first = await create('a', 60 * MiB);
  t.deepEqual(first?.accessibleTopology, [segments('cn-hangzhou-d')]);
  t.is(
    (await create('a', 60 * MiB))?.volumeId,
    first?.volumeId,
    'the same call again, though the zone has no room for another',
  );
  t.deepEqual((await create('b', 60 * MiB))?.accessibleTopology, [segments(zone)]);
  const capacity = (accessibleTopology: ReturnType<typeof segments>) =>
    rig.controller.getCapacity({ accessibleTopology });
  t.is((await capacity(segments('cn-hangzhou-d'))).availableCapacity, 40 * MiB);
  t.is((await capacity(segments('mars'))).availableCapacity, 0);
  await rig.cloud.putZone(zone, { region, capacityBytes: 70 * MiB });
  await fails(
    t,
    create('c', 60 * MiB),
    'RESOURCE_EXHAUSTED',
    "no room for 62914560 bytes: zone 'cn-hangzhou-d' has 41943040 bytes left, zone 'cn-hangzhou-b' has 10485760 bytes left",
  );
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

test('an xfs volume grows while it is used', async (t) => {
  const rig = await driverRig(t);
  const capability = mountCapability('xfs');
  const volumeId = await makeVolume(rig, 'pvc-1', { sizeBytes: 300 * MiB, capability });
  const used = await useVolume(rig, volumeId, { capability });
  const grown = await rig.controller.controllerExpandVolume({
    volumeId,
    capacityRange: { requiredBytes: GiB },
  });
  t.like(grown, { capacityBytes: GiB, nodeExpansionRequired: true });
  const volumePath = used.targetPath;
  t.is((await rig.node.nodeExpandVolume({ volumeId, volumePath })).capacityBytes, GiB);
  t.true((await usageOf(volumePath)).capacityBytes > 900 * MiB);
  await t.notThrowsAsync(rig.node.nodeExpandVolume({ volumeId, volumePath }));
  await fails(
    t,
    rig.node.nodeExpandVolume({ volumeId, volumePath, capacityRange: { requiredBytes: 2 * GiB } }),
    'OUT_OF_RANGE',
    'the disk has 1073741824 bytes, 2147483648 are asked for: it has to be expanded in the cloud first',
  );
});

test('an ext4 volume grows while it is used', async (t) => {
  const CAP_SYS_RESOURCE = 24;
  if (skipUnless(t, hasCapability(CAP_SYS_RESOURCE), 'ext4 grows online only with CAP_SYS_RESOURCE')) return;
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const used = await useVolume(rig, volumeId);
  await rig.controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes: GiB } });
  await rig.node.nodeExpandVolume({ volumeId, volumePath: used.targetPath });
  t.true((await usageOf(used.targetPath)).capacityBytes > 900 * MiB);
});

test('an ext4 volume grows when it is staged, which takes no special right', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const used = await useVolume(rig, volumeId);
  writeFileSync(join(used.targetPath, 'data'), 'kept');
  await rig.controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes: GiB } });
  const CAP_SYS_RESOURCE = 24;
  if (!hasCapability(CAP_SYS_RESOURCE))
    await fails(
      t,
      rig.node.nodeExpandVolume({ volumeId, volumePath: used.targetPath }),
      'FAILED_PRECONDITION',
      /operation not permitted \(EPERM\): ext4 grows while it is mounted only for a process with CAP_SYS_RESOURCE/,
    );
  await dropVolume(rig, used);
  const again = await useVolume(rig, volumeId);
  t.true((await usageOf(again.targetPath)).capacityBytes > 900 * MiB);
  t.is(readFileSync(join(again.targetPath, 'data'), 'utf8'), 'kept');
  await t.notThrowsAsync(
    rig.node.nodeExpandVolume({ volumeId, volumePath: again.targetPath }),
    'it has all of its disk',
  );
});

for (const fsType of ['ext4', 'xfs'] as const)
  test(`snapshot, restore into a larger disk and clone, while the origin is mounted (${fsType})`, async (t) => {
    const rig = await driverRig(t, { reflink: true });
    const capability = mountCapability(fsType);
    const sizeBytes = 320 * MiB;
    const volumeId = await makeVolume(rig, 'pvc-1', { sizeBytes, capability });
    const used = await useVolume(rig, volumeId, { capability });
    const content = Buffer.alloc(3 * MiB, 'bytes of a Pod ');
    writeFileSync(join(used.targetPath, 'data'), content);
    const { snapshot } = await rig.controller.createSnapshot({
      sourceVolumeId: volumeId,
      name: 'snapshot-1',
    });
    t.like(snapshot, { sourceVolumeId: volumeId, sizeBytes, readyToUse: true });
    writeFileSync(join(used.targetPath, 'data'), 'destroyed');
    const restore = (name: string, volumeContentSource: object, requiredBytes: number) =>
      rig.controller.createVolume({
        name,
        capacityRange: { requiredBytes },
        volumeCapabilities: [capability],
        volumeContentSource,
      });
    const source = { snapshot: { snapshotId: snapshot?.snapshotId ?? '' } };
    await fails(
      t,
      restore('small', source, 310 * MiB),
      'OUT_OF_RANGE',
      /bytes do not hold the 335544320 of the content source$/,
    );
    const { volume } = await restore('restored', source, GiB);
    t.deepEqual(volume?.contentSource, source);
    const restored = await useVolume(rig, volume?.volumeId ?? '', { capability, name: 'restored' });
    t.true(readFileSync(join(restored.targetPath, 'data')).equals(content));
    t.true(
      (await usageOf(restored.targetPath)).capacityBytes > 900 * MiB,
      'the file system has all of the larger disk',
    );
    const clone = await restore('clone', { volume: { volumeId } }, sizeBytes);
    const cloned = await useVolume(rig, clone.volume?.volumeId ?? '', { capability, name: 'clone' });
    t.is(readFileSync(join(cloned.targetPath, 'data'), 'utf8'), 'destroyed');
    t.true(isMountPoint(used.targetPath));
  });

test('lists and deletes snapshots', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1', { sizeBytes: MiB });
  const take = async (name: string) =>
    (await rig.controller.createSnapshot({ sourceVolumeId: volumeId, name })).snapshot?.snapshotId ?? '';
  const ids = [await take('a'), await take('b')];
  const ready = async () =>
    (await rig.controller.getSnapshot({ snapshotId: ids[1] ?? '' })).snapshot?.readyToUse;
  await eventually(ready, 'the snapshot is ready');
  const list = async (request: object) =>
    (await rig.controller.listSnapshots(request)).entries.map(({ snapshot }) => snapshot?.snapshotId);
  t.deepEqual(await list({ sourceVolumeId: volumeId }), ids);
  t.deepEqual(await list({ snapshotId: ids[0] }), ids.slice(0, 1));
  t.deepEqual(await list({ snapshotId: 's-0' }), []);
  t.deepEqual(await list({ sourceVolumeId: 'd-0' }), []);
  for (const snapshotId of ids) {
    await rig.controller.deleteSnapshot({ snapshotId });
    await rig.controller.deleteSnapshot({ snapshotId });
  }
  t.deepEqual(await list({}), []);
  await fails(
    t,
    rig.controller.getSnapshot({ snapshotId: ids[0] ?? '' }),
    'NOT_FOUND',
    `there is no snapshot '${ids[0]}'`,
  );
});

test('group snapshots', async (t) => {
  const rig = await driverRig(t, { reflink: true });
  const sourceVolumeIds = [await makeVolume(rig, 'a'), await makeVolume(rig, 'b')];
  const used = await useVolume(rig, sourceVolumeIds[0] ?? '');
  writeFileSync(join(used.targetPath, 'data'), 'in the group');
  const { groupSnapshot } = await rig.group.createVolumeGroupSnapshot({ name: 'group-1', sourceVolumeIds });
  const groupSnapshotId = groupSnapshot?.groupSnapshotId ?? '';
  t.true(groupSnapshot?.readyToUse);
  t.deepEqual(
    groupSnapshot?.snapshots.map((snapshot) => snapshot.sourceVolumeId),
    sourceVolumeIds,
  );
  t.true(groupSnapshot?.snapshots.every((snapshot) => snapshot.groupSnapshotId === groupSnapshotId));
  t.notThrows(() => writeFileSync(join(used.targetPath, 'data'), 'on again'));
  const snapshotId = groupSnapshot?.snapshots[0]?.snapshotId ?? '';
  await fails(
    t,
    rig.controller.deleteSnapshot({ snapshotId }),
    'INVALID_ARGUMENT',
    /is part of group '.*', which is deleted as a whole$/,
  );
  await fails(
    t,
    rig.group.deleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds: ['s-0'] }),
    'INVALID_ARGUMENT',
    `snapshot 's-0' is not part of group snapshot '${groupSnapshotId}'`,
  );
  t.truthy(
    (await rig.group.getVolumeGroupSnapshot({ groupSnapshotId, snapshotIds: [snapshotId] })).groupSnapshot,
  );
  await rig.group.deleteVolumeGroupSnapshot({ groupSnapshotId });
  await rig.group.deleteVolumeGroupSnapshot({ groupSnapshotId });
  t.deepEqual((await rig.controller.listSnapshots({})).entries, []);
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

test('a VolumeAttributesClass changes the cache of a disk in use', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1');
  const { publishContext } = await useVolume(rig, volumeId);
  await rig.controller.controllerModifyVolume({ volumeId, mutableParameters: { cache: 'none' } });
  t.true(loopAt(publishContext['devicePath'] ?? '')?.directIo);
  await fails(
    t,
    rig.controller.controllerModifyVolume({ volumeId, mutableParameters: { iops: '100' } }),
    'INVALID_ARGUMENT',
    "unknown parameter 'iops'; there are: cache",
  );
});

test('says who it is; without the cloud it is not ready, and UNAVAILABLE', async (t) => {
  const rig = await driverRig(t);
  t.like(await rig.identity.getPluginInfo({}), { name: 'loop-disk.csi.podwright.io' });
  t.true((await rig.identity.probe({})).ready?.value);
  const { nodeId, accessibleTopology, maxVolumesPerNode } = await rig.node.nodeGetInfo({});
  t.is(nodeId, 'node-1');
  t.is(maxVolumesPerNode, 127);
  t.deepEqual(accessibleTopology?.segments, {
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zone,
  });
  const validated = await rig.controller.validateVolumeCapabilities({
    volumeId: await makeVolume(rig, 'pvc-1'),
    volumeCapabilities: [mountCapability('', 'MULTI_NODE_MULTI_WRITER')],
  });
  t.is(validated.confirmed, null);
  t.regex(validated.message, /is for volumeMode Block$/);
  await rig.halt();
  t.false((await rig.identity.probe({})).ready?.value);
  await fails(t, makeVolume(rig, 'pvc-2'), 'UNAVAILABLE', /^the cloud cannot be reached: /);
});

test('serves the volumes of in-tree types by their names and ids', async (t) => {
  const gce = await driverRig(t, { driverName: 'pd.csi.storage.gke.io' });
  const disk = await gce.cloud.createDisk({ name: 'my-data', zone, sizeBytes: 16 * MiB });
  const handle = `projects/UNSPECIFIED/zones/${zone}/disks/my-data`;
  const { nodeId, accessibleTopology } = await gce.node.nodeGetInfo({});
  t.is(nodeId, `projects/podwright/zones/${zone}/instances/node-1`);
  t.deepEqual(accessibleTopology?.segments, { 'topology.gke.io/zone': zone });
  const used = await useVolume(gce, handle, { nodeId });
  t.is(loopAt(used.publishContext['devicePath'] ?? '')?.backingFile, gce.imageOf(disk));
  await dropVolume(gce, used, { nodeId });
  const made = await makeVolume(gce, 'pvc-1', { sizeBytes: MiB });
  t.is(made, `projects/podwright/zones/${zone}/disks/pvc-1`);
  await fails(
    t,
    gce.controller.controllerGetVolume({ volumeId: 'projects/p/zones/mars/disks/my-data' }),
    'NOT_FOUND',
    "volume 'projects/p/zones/mars/disks/my-data' does not exist",
  );
  const ebs = await driverRig(t, { driverName: 'ebs.csi.aws.com' });
  const volumeId = await makeVolume(ebs, 'pvc-1', { sizeBytes: 16 * MiB });
  t.regex(volumeId, /^vol-[0-9a-f]{17}$/);
  t.is(await makeVolume(ebs, 'pvc-1', { sizeBytes: 16 * MiB }), volumeId);
  t.is(
    (await ebs.controller.controllerGetVolume({ volumeId: `aws://${zone}/${volumeId}` })).volume?.volumeId,
    volumeId,
  );
  t.true(statSync(ebs.imageOf({ id: volumeId })).size === 16 * MiB);
  await ebs.cloud.createDisk({ name: 'vol-by-hand', zone, sizeBytes: MiB });
  t.truthy((await ebs.controller.controllerGetVolume({ volumeId: 'vol-by-hand' })).volume);
  const { nodeExpansionRequired } = await ebs.controller.controllerExpandVolume({
    volumeId,
    capacityRange: { requiredBytes: 32 * MiB },
  });
  t.true(nodeExpansionRequired);
  t.deepEqual((await ebs.node.nodeGetInfo({})).accessibleTopology?.segments, {
    'topology.ebs.csi.aws.com/zone': zone,
  });
});

test('twenty volumes at once come and go', async (t) => {
  const rig = await driverRig(t);
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      const name = `pvc-${index}`;
      const volumeId = await makeVolume(rig, name, { sizeBytes: 16 * MiB });
      const used = await useVolume(rig, volumeId, { name });
      writeFileSync(join(used.targetPath, 'name'), name);
      await dropVolume(rig, used);
      await rig.controller.deleteVolume({ volumeId });
    }),
  );
  t.deepEqual(loopsBelow(poolIn(rig.dir)), []);
  t.deepEqual((await rig.controller.listVolumes({})).entries, []);
});
