import anyTest from 'ava';
import type { TestFn } from 'ava';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { volumeExpandController } from '../../../controllers/volume-expand/volume-expand.ts';
import { until } from '../../environment.ts';
import { eventAbout, startControllerRig } from '../controller-rig.ts';
import { storageClient } from '../persistent-volume/fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([persistentVolumeController(), volumeExpandController]);
});
test.after.always((t) => t.context.stop());

const larger = { spec: { resources: { requests: { storage: '2Gi' } } } };

test('a CSI volume that is to grow waits for its resizer', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClass('growing', { provisioner: 'disks.example.com', allowVolumeExpansion: true });
  const csi = { driver: 'disks.example.com', volumeHandle: 'x' };
  await storage.createVolume('growing', { storageClassName: 'growing', csi });
  const claim = await storage.createClaim('growing', { storageClassName: 'growing' });
  await storage.claimIn('growing', 'Bound');
  await storage.patchClaim('growing', larger);
  const message = 'waiting for an external controller to expand this PVC';
  const event = await eventAbout(client, claim, { reason: 'ExternalExpanding', message });
  t.is(event.type, 'Normal');
  t.is(event.source?.component, 'volume_expand');
});

test('a volume that is translated to a CSI driver names the resizer of that driver', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClass('gce', { provisioner: 'kubernetes.io/gce-pd', allowVolumeExpansion: true });
  await storage.createVolume('gce', {
    storageClassName: 'gce',
    gcePersistentDisk: { pdName: 'disk-1' },
    hostPath: undefined as unknown as { path: string },
  });
  const claim = await storage.createClaim('gce', { storageClassName: 'gce' });
  await storage.claimIn('gce', 'Bound');
  await storage.patchClaim('gce', larger);
  await eventAbout(client, claim, {
    reason: 'ExternalExpanding',
    message: 'CSI migration enabled for kubernetes.io/gce-pd; waiting for external resizer to expand the pvc',
  });
  await until('the resizer is named', async () => {
    const { metadata } = await storage.getClaim('gce');
    return metadata?.annotations?.['volume.kubernetes.io/storage-resizer'] === 'pd.csi.storage.gke.io';
  });
  t.pass();
});
