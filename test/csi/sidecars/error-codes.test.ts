import test from 'ava';
import { status } from '@grpc/grpc-js';
import { persistentVolumeClaims, persistentVolumes, volumeAttachments } from '../../../client/resources.ts';
import type { CodeName } from '../../../csi/error.ts';
import { until } from '../../environment.ts';
import { failWith } from '../fake-driver.ts';
import {
  bind,
  createClaim,
  createClass,
  createNode,
  driverName,
  release,
  startRig,
} from '../sidecars-rig.ts';

const codes = Object.keys(status).filter((name) => Number.isNaN(Number(name)) && name !== 'OK') as CodeName[];

test("a volume's whole life goes well in the end, though each call of the driver fails with each code", async (t) => {
  const quick = { retryStartMs: 1, retryMaxMs: 20 };
  const rig = await startRig(t, {
    sidecars: { provisioner: quick, attacher: quick, resizer: quick },
  });
  for (const code of codes) {
    rig.driver.plan('createVolume', failWith(code, code));
    rig.driver.plan('controllerPublishVolume', failWith(code, code));
    rig.driver.plan('controllerExpandVolume', failWith(code, code));
    rig.driver.plan('controllerUnpublishVolume', failWith(code, code));
    rig.driver.plan('deleteVolume', failWith(code, code));
  }
  await createNode(rig, 'node-a');
  await createClass(rig, { allowVolumeExpansion: true });
  const claim = await createClaim(rig, 'data');
  const name = `pvc-${claim.metadata?.uid}`;
  await rig.seen(persistentVolumes, name, () => true);
  await bind(rig, claim);

  await rig.client.resource(volumeAttachments).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'attachment' },
      spec: { attacher: driverName, nodeName: 'node-a', source: { persistentVolumeName: name } },
    },
  });
  await rig.seen(volumeAttachments, 'attachment', ({ status: present }) => present?.attached === true);

  const claims = rig.client.resource(persistentVolumeClaims);
  const patch = { spec: { resources: { requests: { storage: '2Gi' } } } };
  await claims.patch({ name: 'data', namespace: 'default', type: 'merge', patch });
  await rig.seen(
    persistentVolumeClaims,
    'default/data',
    ({ status: present }) => present?.allocatedResourceStatuses?.['storage'] === 'NodeResizePending',
  );

  await rig.client.resource(volumeAttachments).delete({ name: 'attachment' });
  await rig.gone(volumeAttachments, 'attachment');
  await claims.delete({ name: 'data', namespace: 'default' });
  await release(rig, name);
  await until('the volume is deleted', () => rig.driver.volumes.size === 0);

  for (const rpc of [
    'createVolume',
    'controllerPublishVolume',
    'controllerExpandVolume',
    'controllerUnpublishVolume',
    'deleteVolume',
  ] as const)
    t.is(rig.driver.asked(rpc).length, codes.length + 1, rpc);
});
