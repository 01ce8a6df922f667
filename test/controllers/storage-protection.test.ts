import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { Pod } from '../../api/types.ts';
import { persistentVolumeClaims, pods, volumeAttributesClasses } from '../../client/resources.ts';
import { persistentVolumeController } from '../../controllers/persistent-volume/persistent-volume.ts';
import { volumeProtectionController } from '../../controllers/pv-protection/pv-protection.ts';
import { claimProtectionController } from '../../controllers/pvc-protection/pvc-protection.ts';
import { attributesClassProtectionController } from '../../controllers/vac-protection/vac-protection.ts';
import { until } from '../environment.ts';
import { eventAbout, found, startControllerRig } from './controller-rig.ts';
import { aPodWith, storageClient } from './persistent-volume/fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([
    persistentVolumeController(),
    claimProtectionController,
    volumeProtectionController,
    attributesClassProtectionController,
  ]);
});
test.after.always((t) => t.context.stop());

test('a claim that a scheduled pod uses stays until the pod is gone; a finished pod still counts', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClaim('used', { storageClassName: 'protect' });
  await client.resource(pods).create({ object: aPodWith('user', ['used'], { nodeName: 'node-1' }) });
  const deleted = await storage.deleteClaim('used');
  t.truthy(deleted.metadata?.deletionTimestamp);
  const patch = { status: { phase: 'Succeeded' } };
  const pod = { name: 'user', namespace: 'default' };
  await client.resource(pods).patch({ ...pod, type: 'merge', subresource: 'status', patch });
  await storage.createClaim('unused', { storageClassName: 'protect' });
  await storage.deleteClaim('unused');
  await until('the unused one is gone', async () => (await found(storage.getClaim('unused'))) === undefined);
  t.truthy((await storage.getClaim('used')).metadata?.deletionTimestamp);
  await client.resource(pods).delete({ ...pod, gracePeriodSeconds: 0 });
  await until('the claim is gone', async () => (await found(storage.getClaim('used'))) === undefined);
});

test('a pod without node holds no claim', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClaim('waiting', { storageClassName: 'protect' });
  await client.resource(pods).create({ object: aPodWith('waiter', ['waiting']) });
  await storage.deleteClaim('waiting');
  await until('the claim is gone', async () => (await found(storage.getClaim('waiting'))) === undefined);
  t.pass();
});

test('an ephemeral volume holds the claim of its pod only, and not when only finalizers hold the pod', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const object: Pod = aPodWith('inline', [], { nodeName: 'node-1' });
  const template = {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  };
  object.metadata = { ...object.metadata, finalizers: ['example.com/hold'] };
  if (object.spec !== undefined)
    object.spec.volumes = ['data', 'theirs'].map((name) => ({
      name,
      ephemeral: { volumeClaimTemplate: template },
    }));
  const pod = await client.resource(pods).create({ object });
  const owner = {
    apiVersion: 'v1',
    kind: 'Pod',
    name: 'inline',
    uid: pod.metadata?.uid ?? '',
    controller: true,
  };
  await storage.createClaim('inline-data', {}, { ownerReferences: [owner] });
  await storage.createClaim('inline-theirs');
  await storage.deleteClaim('inline-theirs');
  await storage.deleteClaim('inline-data');
  const isGone = async (name: string) => (await found(storage.getClaim(name))) === undefined;
  await until('the foreign claim is gone', () => isGone('inline-theirs'));
  t.false(await isGone('inline-data'));
  await client.resource(pods).delete({ name: 'inline', namespace: 'default', gracePeriodSeconds: 0 });
  await until('the claim is gone, although a finalizer holds the pod', () => isGone('inline-data'));
  t.truthy(await client.resource(pods).get({ name: 'inline', namespace: 'default' }));
});

test('a bound volume stays until its claim is gone', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'protect-pv' };
  await storage.createVolume('protected', spec);
  await storage.createClaim('protecting', spec);
  await storage.claimIn('protecting', 'Bound');
  const deleted = await storage.deleteVolume('protected');
  t.truthy(deleted.metadata?.deletionTimestamp);
  t.is((await storage.getVolume('protected')).status?.phase, 'Bound');
  await storage.deleteClaim('protecting');
  await until('the volume is gone', async () => (await found(storage.getVolume('protected'))) === undefined);
});

test('objects that came without their finalizer get it', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClaim('bare');
  await storage.createVolume('bare', { storageClassName: 'bare' });
  const bare = { metadata: { finalizers: null } };
  await storage.patchClaim('bare', bare);
  await storage.patchVolume('bare', bare);
  await until('both have their finalizer again', async () => {
    const claim = await client.resource(persistentVolumeClaims).get({ name: 'bare', namespace: 'default' });
    const volume = await storage.getVolume('bare');
    return (
      claim.metadata?.finalizers?.includes('kubernetes.io/pvc-protection') &&
      volume.metadata?.finalizers?.includes('kubernetes.io/pv-protection')
    );
  });
  t.pass();
});

test('an attributes class stays as long as a claim names it', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const resource = client.resource(volumeAttributesClasses);
  const get = () => found(resource.get({ name: 'gold' }));
  await resource.create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'gold' },
      driverName: 'test.example.com',
      parameters: { iops: '1' },
    },
  });
  const claim = await storage.createClaim('golden', {
    storageClassName: 'x',
    volumeAttributesClassName: 'gold',
  });
  // The informers know the claim: like upstream, this protection looks no further.
  await eventAbout(client, claim, { reason: 'ProvisioningFailed' });
  await until('the class is protected', async () =>
    (await get())?.metadata?.finalizers?.includes('kubernetes.io/vac-protection'),
  );
  await resource.delete({ name: 'gold' });
  t.truthy((await get())?.metadata?.deletionTimestamp);
  await storage.deleteClaim('golden');
  await until('the class is gone', async () => (await get()) === undefined);
});
