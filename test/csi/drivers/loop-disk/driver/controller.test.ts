import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { CsiError } from '../../../../../csi/error.ts';
import { loopAt, loopsBelow } from '../../../../../linux/loop-device.ts';
import { mountsBelow } from '../../../../../linux/mount-info.ts';
import {
  driverRig,
  fails,
  dropVolume,
  makeVolume,
  MiB,
  mountCapability,
  poolIn,
  region,
  useVolume,
  zone,
} from '../driver-rig.ts';

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
