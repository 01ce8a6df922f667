import test from 'ava';
import {
  persistentVolumeClaims,
  persistentVolumes,
  volumeAttachments,
} from '../../../../client/resources.ts';
import { until } from '../../../environment.ts';
import { failWith } from '../../fake-driver.ts';
import { bind, createClaim, createClass, release, startRig } from '../../sidecars-rig.ts';

test('a volume is deleted when its claim is gone, but not while it is attached', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  const claim = await createClaim(rig, 'data');
  const name = `pvc-${claim.metadata?.uid}`;
  await rig.seen(persistentVolumes, name, () => true);
  await bind(rig, claim);
  await rig.client.resource(volumeAttachments).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'attachment' },
      spec: { attacher: 'somebody-else', nodeName: 'node-a', source: { persistentVolumeName: name } },
    },
  });
  await rig.client.resource(persistentVolumeClaims).delete({ name: 'data', namespace: 'default' });
  await release(rig, name);
  t.is(
    await rig.eventOf(name, 'VolumeFailedDelete'),
    `persistentvolume ${name} is still attached to node node-a`,
  );
  t.is(rig.driver.volumes.size, 1);
  t.is(rig.driver.asked('deleteVolume').length, 0);
  rig.driver.plan('deleteVolume', failWith('FAILED_PRECONDITION', 'in use'));
  await rig.client.resource(volumeAttachments).delete({ name: 'attachment' });
  t.is(
    await rig.eventOf(name, 'VolumeFailedDelete', /rpc/),
    'rpc error: code = FailedPrecondition desc = in use',
  );
  await until('the volume is deleted', () => rig.driver.volumes.size === 0);
  await rig.seen(persistentVolumes, name, ({ metadata }) => {
    const { deletionTimestamp, finalizers = [] } = metadata ?? {};
    return deletionTimestamp !== undefined && finalizers.join() === 'kubernetes.io/pv-protection';
  });
});

test('a volume with policy Retain stays', async (t) => {
  const rig = await startRig(t);
  await createClass(rig, { reclaimPolicy: 'Retain' });
  const claim = await createClaim(rig, 'data');
  const name = `pvc-${claim.metadata?.uid}`;
  await rig.seen(persistentVolumes, name, () => true);
  await rig.seen(persistentVolumes, name, ({ metadata }) => metadata?.finalizers?.length === 1);
  await release(rig, name);
  await createClaim(rig, 'next');
  await until('the next volume is made', () => rig.driver.volumes.size === 2);
  t.is(rig.driver.asked('deleteVolume').length, 0);
});
