import { statSync } from 'node:fs';
import test from 'ava';
import { loopAt } from '../../../../../linux/loop-device.ts';
import {
  driverRig,
  fails,
  dropVolume,
  makeVolume,
  MiB,
  mountCapability,
  region,
  useVolume,
  zone,
} from '../driver-rig.ts';

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
