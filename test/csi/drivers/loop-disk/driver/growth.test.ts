import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { usageOf } from '../../../../../linux/filesystem.ts';
import { hasCapability, skipUnless } from '../../../../environment.ts';
import {
  driverRig,
  fails,
  dropVolume,
  GiB,
  makeVolume,
  MiB,
  mountCapability,
  useVolume,
} from '../driver-rig.ts';

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
