import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { PersistentVolume } from '../../../api/types.ts';
import { isConflict } from '../../../client/errors.ts';
import { persistentVolumes } from '../../../client/resources.ts';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { until } from '../../environment.ts';
import { eventAbout, startControllerRig } from '../controller-rig.ts';
import { storageClient } from './fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

// The resync is far away: whatever happens here happens because of an event.
test.before(async (t) => {
  t.context = await startControllerRig([persistentVolumeController({ resyncMs: 3_600_000 })]);
});
test.after.always((t) => t.context.stop());

const bindCompleted = 'pv.kubernetes.io/bind-completed';
const boundByController = 'pv.kubernetes.io/bound-by-controller';

test('the smallest volume that fits is bound, both ways, with the time of the transition', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'smallest' };
  await storage.createVolume('smallest-10', { ...spec, capacity: { storage: '10Gi' } });
  await storage.createVolume('smallest-2', { ...spec, capacity: { storage: '2Gi' } });
  await storage.createVolume('smallest-1', { ...spec, capacity: { storage: '500Mi' } });
  await Promise.all(
    ['smallest-10', 'smallest-2', 'smallest-1'].map((name) => storage.volumeIn(name, 'Available')),
  );
  const { metadata } = await storage.createClaim('smallest', spec);
  const claim = await storage.claimIn('smallest', 'Bound');
  t.is(claim.spec?.volumeName, 'smallest-2');
  t.like(claim.metadata?.annotations, { [bindCompleted]: 'yes', [boundByController]: 'yes' });
  t.deepEqual(claim.status, {
    phase: 'Bound',
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '2Gi' },
  });
  const volume = await storage.getVolume('smallest-2');
  t.like(volume.spec?.claimRef, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    namespace: 'default',
    name: 'smallest',
    uid: metadata?.uid,
  });
  t.is(volume.metadata?.annotations?.[boundByController], 'yes');
  t.regex(volume.status?.lastPhaseTransitionTime ?? '', /^\d{4}-\d\d-\d\dT/);
});

test('of volumes with more and fewer access modes, the one with fewer is taken', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'modes' };
  await storage.createVolume('modes-many', {
    ...spec,
    accessModes: ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany'],
  });
  await storage.createVolume('modes-few', { ...spec, capacity: { storage: '5Gi' } });
  await Promise.all(['modes-many', 'modes-few'].map((name) => storage.volumeIn(name, 'Available')));
  await storage.createClaim('modes-one', spec);
  t.is((await storage.claimIn('modes-one', 'Bound')).spec?.volumeName, 'modes-few');
  await storage.createClaim('modes-rwx', { ...spec, accessModes: ['ReadWriteMany'] });
  const rwx = await storage.claimIn('modes-rwx', 'Bound');
  t.is(rwx.spec?.volumeName, 'modes-many');
  t.deepEqual(rwx.status?.accessModes, ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany']);
});

test('a claim waits for a volume of its class, selector, mode and attributes class', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'waits' };
  const claim = await storage.createClaim('waits', {
    ...spec,
    volumeMode: 'Block',
    selector: { matchLabels: { tier: 'gold' } },
    accessModes: ['ReadWriteOncePod'],
  });
  await eventAbout(t.context.client, claim, {
    reason: 'ProvisioningFailed',
    message: 'storageclass.storage.k8s.io "waits" not found',
  });
  const fitting = { ...spec, volumeMode: 'Block', accessModes: ['ReadWriteOncePod'] };
  const gold = { labels: { tier: 'gold' } };
  await storage.createVolume('waits-silver', fitting, { labels: { tier: 'silver' } });
  await storage.createVolume('waits-class', { ...fitting, storageClassName: 'waits-not' }, gold);
  await storage.createVolume('waits-mode', { ...fitting, volumeMode: 'Filesystem' }, gold);
  await storage.createVolume('waits-access', { ...fitting, accessModes: ['ReadWriteOnce'] }, gold);
  const csi = { driver: 'test.example.com', volumeHandle: 'waits' };
  await storage.createVolume(
    'waits-attributes',
    { ...fitting, csi, volumeAttributesClassName: 'fast' },
    gold,
  );
  await Promise.all(
    ['silver', 'class', 'mode', 'access', 'attributes'].map((name) =>
      storage.volumeIn(`waits-${name}`, 'Available'),
    ),
  );
  t.is((await storage.getClaim('waits')).status?.phase, 'Pending');
  await storage.createVolume('waits-right', fitting, gold);
  t.is((await storage.claimIn('waits', 'Bound')).spec?.volumeName, 'waits-right');
});

test('the attributes class of the volume is what the bound claim has', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'attributes', volumeAttributesClassName: 'fast' };
  const csi = { driver: 'test.example.com', volumeHandle: 'attributes' };
  await storage.createVolume('attributes-none', { storageClassName: 'attributes', csi });
  await storage.createVolume('attributes-fast', { ...spec, csi });
  await storage.createClaim('attributes', spec);
  const claim = await storage.claimIn('attributes', 'Bound');
  t.is(claim.spec?.volumeName, 'attributes-fast');
  t.is(claim.status?.currentVolumeAttributesClassName, 'fast');
});

test('a volume whose file system is still to grow: the claim has the size from before', async (t) => {
  const storage = storageClient(t.context.client);
  const annotations = { 'volume.alpha.kubernetes.io/pre-resize-capacity': '512Mi' };
  await storage.createVolume('preresize', { storageClassName: 'preresize' }, { annotations });
  await storage.createClaim('preresize', { storageClassName: 'preresize' });
  t.deepEqual((await storage.claimIn('preresize', 'Bound')).status?.capacity, { storage: '512Mi' });
});

test('without volume and class the claim says so', async (t) => {
  const { client } = t.context;
  const claim = await storageClient(client).createClaim('poor', { size: '900Ti' });
  const event = await eventAbout(client, claim, {
    reason: 'FailedBinding',
    message: 'no persistent volumes available for this claim and no storage class is set',
  });
  t.is(event.type, 'Normal');
  t.is(event.source?.component, 'persistentvolume-controller');
});

test('a volume is reserved for a claim by claimRef without and with uid, against smaller ones', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'reserved' };
  const claimRef = { name: 'reserved', namespace: 'default' };
  await storage.createVolume('reserved-big', { ...spec, capacity: { storage: '9Gi' }, claimRef });
  await storage.createVolume('reserved-small', spec);
  await Promise.all(['reserved-big', 'reserved-small'].map((name) => storage.volumeIn(name, 'Available')));
  await storage.createClaim('reserved-not', spec);
  t.is((await storage.claimIn('reserved-not', 'Bound')).spec?.volumeName, 'reserved-small');
  const { metadata } = await storage.createClaim('reserved', spec);
  t.is((await storage.claimIn('reserved', 'Bound')).spec?.volumeName, 'reserved-big');
  const volume = await storage.getVolume('reserved-big');
  t.is(volume.spec?.claimRef?.uid, metadata?.uid);
  t.is(volume.metadata?.annotations?.[boundByController], undefined, 'the administrator bound it');

  const late = await storage.createClaim('reserved-late', { ...spec, volumeName: '' });
  await storage.createVolume('reserved-uid', {
    ...spec,
    claimRef: { name: 'reserved-late', namespace: 'default', uid: late.metadata?.uid ?? '' },
  });
  t.is((await storage.claimIn('reserved-late', 'Bound')).spec?.volumeName, 'reserved-uid');
});

test('a claim names its volume, before or after the volume is there', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'named' };
  await storage.createClaim('named', { ...spec, volumeName: 'named-1' });
  await storage.claimIn('named', 'Pending');
  await storage.createVolume('named-0', { ...spec, capacity: { storage: '1Gi' } });
  await storage.createVolume('named-1', { ...spec, capacity: { storage: '8Gi' } });
  const claim = await storage.claimIn('named', 'Bound');
  t.is(claim.spec?.volumeName, 'named-1');
  t.is(claim.metadata?.annotations?.[boundByController], undefined, 'the user bound it');
  t.is(claim.metadata?.annotations?.[bindCompleted], 'yes');
  t.is((await storage.getVolume('named-1')).metadata?.annotations?.[boundByController], 'yes');
});

test('a named volume that does not fit is told of, reason by reason', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const spec = { storageClassName: 'misfit' };
  await storage.createVolume('misfit', spec);
  const volumeName = 'misfit';
  const misfits = {
    'requested PV is too small': { ...spec, size: '2Gi' },
    'storageClassName does not match': { storageClassName: 'other' },
    'volumeAttributesClassName does not match': { ...spec, volumeAttributesClassName: 'fast' },
    'incompatible volumeMode': { ...spec, volumeMode: 'Block' },
    'incompatible accessMode': { ...spec, accessModes: ['ReadWriteMany'] },
  };
  for (const [index, [cause, fields]] of Object.entries(misfits).entries()) {
    const claim = await storage.createClaim(`misfit-${index}`, { ...fields, volumeName });
    const message = `Cannot bind to requested volume "misfit": ${cause}`;
    t.is((await eventAbout(client, claim, { reason: 'VolumeMismatch', message })).type, 'Warning');
    t.is((await storage.getClaim(`misfit-${index}`)).status?.phase, 'Pending');
  }
  t.is((await storage.volumeIn('misfit', 'Available')).spec?.claimRef, undefined);
});

test('a volume of another claim is refused to a claim that names it', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const spec = { storageClassName: 'taken' };
  await storage.createVolume('taken', spec);
  await storage.createClaim('taken-1', spec);
  await storage.claimIn('taken-1', 'Bound');
  const second = await storage.createClaim('taken-2', { ...spec, volumeName: 'taken' });
  const event = await eventAbout(client, second, {
    reason: 'FailedBinding',
    message: 'volume "taken" already bound to a different claim.',
  });
  t.is(event.type, 'Warning');
  t.is((await storage.getClaim('taken-2')).status?.phase, 'Pending');
});

test('a reserved volume of the wrong volumeMode is told of on both sides', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const spec = { storageClassName: 'twomodes' };
  const claim = await storage.createClaim('twomodes', { ...spec, volumeMode: 'Block' });
  const claimRef = { name: 'twomodes', namespace: 'default', uid: claim.metadata?.uid ?? '' };
  const volume = await storage.createVolume('twomodes-pv', { ...spec, claimRef });
  await eventAbout(client, claim, {
    reason: 'VolumeMismatch',
    message:
      'Cannot bind PersistentVolume "twomodes-pv" to requested PersistentVolumeClaim due to incompatible volumeMode.',
  });
  await eventAbout(client, volume, {
    reason: 'VolumeMismatch',
    message:
      'Cannot bind PersistentVolume to requested PersistentVolumeClaim "twomodes" due to incompatible volumeMode.',
  });
  t.is((await storage.getClaim('twomodes')).status?.phase, 'Pending');
});

test('a claim whose volume is deleted, or whose reference is gone, is Lost', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const spec = { storageClassName: 'lost' };
  await storage.createVolume('lost-1', spec);
  const claim = await storage.createClaim('lost-1', spec);
  await storage.claimIn('lost-1', 'Bound');
  await storage.deleteVolume('lost-1');
  await storage.patchVolume('lost-1', { metadata: { finalizers: null } });
  const lost = await storage.claimIn('lost-1', 'Lost');
  t.deepEqual(lost.status, { phase: 'Lost' }, 'what it had is gone');
  const event = await eventAbout(client, claim, {
    reason: 'ClaimLost',
    message: 'Bound claim has lost its PersistentVolume. Data on the volume is lost!',
  });
  t.is(event.type, 'Warning');
});

test('a claim that is bound to the volume of another is Lost as misbound', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const spec = { storageClassName: 'misbound' };
  await storage.createVolume('misbound', spec);
  await storage.createClaim('misbound-1', spec);
  await storage.claimIn('misbound-1', 'Bound');
  const second = await storage.createClaim(
    'misbound-2',
    { ...spec, volumeName: 'misbound' },
    { annotations: { [bindCompleted]: 'yes' } },
  );
  await storage.claimIn('misbound-2', 'Lost');
  await eventAbout(client, second, {
    reason: 'ClaimMisbound',
    message: 'Two claims are bound to the same volume, this one is bound incorrectly',
  });
  t.is((await storage.getClaim('misbound-1')).status?.phase, 'Bound');
});

test('a volume that is bound to a claim that has another one is free again', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'twice' };
  await storage.createVolume('twice-1', spec);
  const { metadata } = await storage.createClaim('twice', spec);
  await storage.claimIn('twice', 'Bound');
  const claimRef = { name: 'twice', namespace: 'default', uid: metadata?.uid ?? '' };
  await storage.createVolume(
    'twice-ours',
    { ...spec, claimRef },
    { annotations: { [boundByController]: 'yes' } },
  );
  t.is((await storage.volumeIn('twice-ours', 'Available')).spec?.claimRef, undefined);
  await storage.createVolume('twice-theirs', { ...spec, claimRef });
  t.deepEqual((await storage.volumeIn('twice-theirs', 'Available')).spec?.claimRef, {
    name: 'twice',
    namespace: 'default',
  });
});

test('many claims and volumes at once: each claim has a volume of its own', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'many' };
  const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
  await Promise.all(
    names.flatMap((name) => [storage.createClaim(name, spec), storage.createVolume(name, spec)]),
  );
  const claims = await Promise.all(names.map((name) => storage.claimIn(name, 'Bound')));
  t.is(new Set(claims.map((claim) => claim.spec?.volumeName)).size, names.length);
  for (const claim of claims) {
    const volume = await storage.getVolume(claim.spec?.volumeName ?? '');
    t.is(volume.spec?.claimRef?.uid, claim.metadata?.uid);
  }
});

test('somebody else writes the volume all the time: binding still ends well', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const spec = { storageClassName: 'busy' };
  await storage.createVolume('busy', spec);
  let writes = 0;
  let isDone = false;
  const disturb = async () => {
    while (!isDone) {
      const volume: PersistentVolume = await storage.getVolume('busy');
      const metadata = { ...volume.metadata, labels: { turn: `${writes}` } };
      await client
        .resource(persistentVolumes)
        .update({ object: { ...volume, metadata } })
        .then(
          () => (writes += 1),
          (error: unknown) => {
            if (!isConflict(error)) throw error;
          },
        );
    }
  };
  const disturbing = disturb();
  await until('the disturber is at work', () => writes > 3);
  await storage.createClaim('busy', spec);
  await storage.claimIn('busy', 'Bound');
  isDone = true;
  await disturbing;
  t.like((await storage.getVolume('busy')).spec?.claimRef, { name: 'busy' });
});
