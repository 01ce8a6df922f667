import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { setFailpoint } from '../../../../../linux/failpoint.ts';
import { LOOP_DISK } from '../../../../../csi/drivers/loop-disk/index.ts';
import { usageOf } from '../../../../../linux/filesystem.ts';
import { isMountPoint } from '../../../../../linux/mount-info.ts';
import { until } from '../../../../environment.ts';
import { driverRig, fails, GiB, makeVolume, MiB, mountCapability, useVolume } from '../driver-rig.ts';

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

for (const driverName of [LOOP_DISK, 'pd.csi.storage.gke.io'])
  test(`a volume is there whatever became of what it was made from (${driverName})`, async (t) => {
    const rig = await driverRig(t, { driverName });
    const volumeId = await makeVolume(rig, 'origin', { sizeBytes: MiB });
    const taken = () => rig.controller.createSnapshot({ sourceVolumeId: volumeId, name: 's' });
    await until('the snapshot is ready', async () => (await taken()).snapshot?.readyToUse);
    const snapshotId = (await taken()).snapshot?.snapshotId ?? '';
    const create = async (name: string, volumeContentSource: object) =>
      (
        await rig.controller.createVolume({
          name,
          capacityRange: { limitBytes: 2 * MiB },
          volumeCapabilities: [mountCapability()],
          volumeContentSource,
        })
      ).volume;
    const restore = () => create('restored', { snapshot: { snapshotId } });
    const clone = () => create('clone', { volume: { volumeId } });
    const made = [await restore(), await clone()];
    await rig.controller.controllerExpandVolume({ volumeId, capacityRange: { requiredBytes: 4 * MiB } });
    await rig.controller.deleteSnapshot({ snapshotId });
    t.deepEqual([await restore(), await clone()], made);
    if (driverName !== LOOP_DISK) return; // its handles say a name, which could be another disk's by now
    await rig.controller.deleteVolume({ volumeId });
    t.deepEqual(await clone(), made[1]);
    await fails(t, create('other', { volume: { volumeId } }), 'NOT_FOUND', /does not exist$/);
  });

test('lists and deletes snapshots', async (t) => {
  const rig = await driverRig(t);
  const volumeId = await makeVolume(rig, 'pvc-1', { sizeBytes: MiB });
  const take = async (name: string) =>
    (await rig.controller.createSnapshot({ sourceVolumeId: volumeId, name })).snapshot?.snapshotId ?? '';
  const ids = [await take('a'), await take('b')];
  const ready = async () =>
    (await rig.controller.getSnapshot({ snapshotId: ids[1] ?? '' })).snapshot?.readyToUse;
  await until('the snapshot is ready', ready);
  const list = async (request: object) =>
    (await rig.controller.listSnapshots(request)).entries.map(({ snapshot }) => snapshot?.snapshotId);
  t.deepEqual(await list({ sourceVolumeId: volumeId }), ids);
  t.deepEqual(await list({ maxEntries: 2 ** 31 - 1 }), ids);
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
  const snapshotIds = groupSnapshot?.snapshots.map((snapshot) => snapshot.snapshotId) ?? [];
  const remove = () => rig.group.deleteVolumeGroupSnapshot({ groupSnapshotId, snapshotIds });
  {
    using _point = setFailpoint('cloud.delete-group.after-snapshot', '1*error');
    await fails(t, remove(), 'INTERNAL', /^failpoint cloud\.delete-group\.after-snapshot: /);
  }
  await remove();
  await remove();
  t.deepEqual((await rig.controller.listSnapshots({})).entries, []);
});
