import anyTest from 'ava';
import type { TestFn } from 'ava';
import { pods } from '../../../client/resources.ts';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { until } from '../../environment.ts';
import { eventAbout, startControllerRig } from '../controller-rig.ts';
import { aPodWith, podStatusOf, storageClient } from './fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([persistentVolumeController({ resyncMs: 3_600_000 })]);
});
test.after.always((t) => t.context.stop());

const provisioner = 'disks.example.com';
const delayed = { provisioner, volumeBindingMode: 'WaitForFirstConsumer' };
const provisionerAnnotations = {
  'volume.kubernetes.io/storage-provisioner': provisioner,
  'volume.beta.kubernetes.io/storage-provisioner': provisioner,
};

const asksFor = (storage: ReturnType<typeof storageClient>, name: string, wanted: string) =>
  until(`claim ${name} asks for ${wanted}`, async () => {
    const claim = await storage.getClaim(name);
    return claim.metadata?.annotations?.['volume.kubernetes.io/storage-provisioner'] === wanted && claim;
  });

test('a claim of an immediate class asks the external provisioner, and is bound to what that makes', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClass('immediate', { provisioner });
  const created = await storage.createClaim('immediate', { storageClassName: 'immediate' });
  const claim = await asksFor(storage, 'immediate', provisioner);
  t.like(claim.metadata?.annotations, provisionerAnnotations);
  const event = await eventAbout(client, created, {
    reason: 'ExternalProvisioning',
    message:
      `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by ` +
      'the system administrator. If volume creation is delayed, please verify that the provisioner is running ' +
      'and correctly registered.',
  });
  t.is(event.type, 'Normal');
  await storage.createVolume(
    'pvc-immediate',
    {
      storageClassName: 'immediate',
      csi: { driver: provisioner, volumeHandle: 'immediate' },
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { name: 'immediate', namespace: 'default', uid: claim.metadata?.uid ?? '' },
    },
    { annotations: { 'pv.kubernetes.io/provisioned-by': provisioner } },
  );
  const bound = await storage.claimIn('immediate', 'Bound');
  t.is(bound.spec?.volumeName, 'pvc-immediate');
  const volume = await storage.volumeIn('pvc-immediate', 'Bound');
  t.is(volume.metadata?.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined);
  await storage.deleteClaim('immediate');
  await storage.patchClaim('immediate', { metadata: { finalizers: null } });
  await storage.volumeIn('pvc-immediate', 'Released');
});

test('a claim of a class that waits, waits for a pod, then for its node, then asks', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await storage.createClass('delayed', delayed);
  await storage.createVolume('delayed-free', { storageClassName: 'delayed' });
  await storage.volumeIn('delayed-free', 'Available');
  const claim = await storage.createClaim('delayed', { storageClassName: 'delayed' });
  await eventAbout(client, claim, {
    reason: 'WaitForFirstConsumer',
    message: 'waiting for first consumer to be created before binding',
  });
  const wait = async (name: string, message: string) => {
    await client.resource(pods).create({ object: aPodWith(name, ['delayed']) });
    await client.resource(pods).patch({
      name,
      namespace: 'default',
      type: 'strategic',
      subresource: 'status',
      patch: { status: podStatusOf('Unschedulable') },
    });
    await eventAbout(client, claim, { reason: 'WaitForPodScheduled', message });
  };
  await wait('delayed-a', 'waiting for pod delayed-a to be scheduled');
  await wait('delayed-b', 'waiting for pods delayed-a,delayed-b to be scheduled');
  t.is((await storage.getClaim('delayed')).status?.phase, 'Pending');
  t.is((await storage.getVolume('delayed-free')).spec?.claimRef, undefined);
  const selected = { annotations: { 'volume.kubernetes.io/selected-node': 'node-1' } };
  await storage.patchClaim('delayed', { metadata: selected });
  const asking = await asksFor(storage, 'delayed', provisioner);
  t.like(asking.metadata?.annotations, { ...provisionerAnnotations, ...selected.annotations });
});

test('the scheduler reserves a volume for a claim of a class that waits: the claim is bound', async (t) => {
  const storage = storageClient(t.context.client);
  await storage.createClass('local', { volumeBindingMode: 'WaitForFirstConsumer' });
  await storage.createVolume('local-1', { storageClassName: 'local' });
  const { metadata } = await storage.createClaim('local', { storageClassName: 'local' });
  await storage.claimIn('local', 'Pending');
  const claimRef = { name: 'local', namespace: 'default', uid: metadata?.uid };
  const annotations = { 'pv.kubernetes.io/bound-by-controller': 'yes' };
  await storage.patchVolume('local-1', { metadata: { annotations }, spec: { claimRef } });
  t.is((await storage.claimIn('local', 'Bound')).spec?.volumeName, 'local-1');
});

test('provisioners that should be inside and are not, and classes that are not there, fail with upstream words', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const refusals = {
    'kubernetes.io/no-provisioner': 'no volume plugin matched name: kubernetes.io/no-provisioner',
    'kubernetes.io/nfs': 'no provisionable volume plugin matched',
    'kubernetes.io/host-path':
      'Failed to create provisioner: provisioning in volume plugin "kubernetes.io/host-path" is disabled',
  };
  for (const [inTree, message] of Object.entries(refusals)) {
    const name = inTree.replace('kubernetes.io/', 'refused-');
    await storage.createClass(name, { provisioner: inTree });
    const claim = await storage.createClaim(name, { storageClassName: name });
    t.is((await eventAbout(client, claim, { reason: 'ProvisioningFailed', message })).type, 'Warning');
  }
  const claim = await storage.createClaim('late-class', { storageClassName: 'late-class' });
  const message = 'storageclass.storage.k8s.io "late-class" not found';
  await eventAbout(client, claim, { reason: 'ProvisioningFailed', message });
  await storage.createClass('late-class', { provisioner });
  await asksFor(storage, 'late-class', provisioner);
});

test('the former in-tree provisioners are handed to their CSI drivers', async (t) => {
  const storage = storageClient(t.context.client);
  const drivers = {
    'kubernetes.io/gce-pd': 'pd.csi.storage.gke.io',
    'kubernetes.io/aws-ebs': 'ebs.csi.aws.com',
  };
  for (const [inTree, driver] of Object.entries(drivers)) {
    const name = inTree.replace('kubernetes.io/', '');
    await storage.createClass(name, { provisioner: inTree });
    await storage.createClaim(name, { storageClassName: name });
    await asksFor(storage, name, driver);
    const volume = await storage.createVolume(
      `migrated-${name}`,
      { csi: { driver, volumeHandle: name }, persistentVolumeReclaimPolicy: 'Delete' },
      {
        annotations: { 'pv.kubernetes.io/provisioned-by': inTree },
        finalizers: ['kubernetes.io/pv-controller', 'external-provisioner.volume.kubernetes.io/finalizer'],
      },
    );
    const annealed = await until('migrated-to is set', async () => {
      const present = await storage.getVolume(volume.metadata?.name ?? '');
      return present.metadata?.annotations?.['pv.kubernetes.io/migrated-to'] === driver && present;
    });
    t.false(annealed.metadata?.finalizers?.includes('kubernetes.io/pv-controller'));
    t.true(annealed.metadata?.finalizers?.includes('external-provisioner.volume.kubernetes.io/finalizer'));
  }
});

test('a claim that asks an in-tree provisioner by annotation is marked as migrated', async (t) => {
  const storage = storageClient(t.context.client);
  const annotations = { 'volume.beta.kubernetes.io/storage-provisioner': 'kubernetes.io/gce-pd' };
  await storage.createClaim('annotated', { storageClassName: 'nothing-such' }, { annotations });
  await until('migrated-to is set', async () => {
    const claim = await storage.getClaim('annotated');
    return claim.metadata?.annotations?.['pv.kubernetes.io/migrated-to'] === 'pd.csi.storage.gke.io';
  });
  t.pass();
});

test('claims without a class get the default one when it comes, the newest of two; those of class "" never', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const isDefault = { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } };
  const classOf = async (name: string) => (await storage.getClaim(name)).spec?.storageClassName;
  const without = async (name: string, spec = {}) => {
    const { spec: full, metadata } = await storage.createClaim(name, { size: '777Ti', ...spec });
    return { full, metadata };
  };
  await without('classless-never');
  const nothing = { storageClassName: undefined as unknown as string };
  await without('classless', nothing);
  await storage.claimIn('classless', 'Pending');
  t.is(await classOf('classless'), undefined);
  await storage.createClass('default-1', { provisioner, metadata: isDefault });
  await until('the default class is assigned', async () => (await classOf('classless')) === 'default-1');
  await asksFor(storage, 'classless', provisioner);
  t.is(await classOf('classless-never'), '');
});
