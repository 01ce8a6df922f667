import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import { events, pods } from '../../../client/resources.ts';
import { persistentVolumeController } from '../../../controllers/persistent-volume/persistent-volume.ts';
import { unmount } from '../../../linux/mount.ts';
import { mountTmpfs } from '../../../linux/tmpfs.ts';
import { until } from '../../environment.ts';
import { eventAbout, found, startControllerRig } from '../controller-rig.ts';
import { aPodWith, storageClient } from './fixtures.ts';

const test = anyTest as TestFn<Awaited<ReturnType<typeof startControllerRig>>>;

test.before(async (t) => {
  t.context = await startControllerRig([persistentVolumeController({ resyncMs: 500 })]);
});
test.after.always((t) => t.context.stop());

type Storage = ReturnType<typeof storageClient>;

/** Binds a claim of this name to a volume of this name, and deletes the claim. */
const release = async (storage: Storage, name: string, spec: Parameters<Storage['createVolume']>[1] = {}) => {
  const volume = await storage.createVolume(name, { storageClassName: name, ...spec });
  await storage.createClaim(name, { storageClassName: name });
  await storage.claimIn(name, 'Bound');
  await removeClaim(storage, name);
  return volume;
};

/** The protection of claims is another controller's. */
const removeClaim = async (storage: Storage, name: string) => {
  await storage.patchClaim(name, { metadata: { finalizers: null } });
  await storage.deleteClaim(name);
};

test('Retain: the volume is Released, and free again when claimRef is cleared, not before', async (t) => {
  const storage = storageClient(t.context.client);
  await release(storage, 'retain', { persistentVolumeReclaimPolicy: 'Retain' });
  await storage.volumeIn('retain', 'Released');
  await storage.createClaim('retain', { storageClassName: 'retain' });
  await storage.claimIn('retain', 'Pending');
  t.is(
    (await storage.getVolume('retain')).status?.phase,
    'Released',
    'a new claim of that name is another one',
  );
  await storage.patchVolume('retain', { spec: { claimRef: null } });
  t.is((await storage.claimIn('retain', 'Bound')).spec?.volumeName, 'retain');
});

test('Delete: an external provisioner deletes; the controller leaves the volume Released', async (t) => {
  const storage = storageClient(t.context.client);
  const csi = { driver: 'disks.example.com', volumeHandle: 'x' };
  await release(storage, 'external', { csi, persistentVolumeReclaimPolicy: 'Delete' });
  await storage.volumeIn('external', 'Released');
  await storage.patchVolume('external', { metadata: { labels: { looked: 'at' } } });
  await new Promise((resolve) => setImmediate(resolve));
  t.is((await storage.getVolume('external')).status?.phase, 'Released');
});

test('Delete: a hostPath below /tmp goes with its volume', async (t) => {
  const storage = storageClient(t.context.client);
  const path = mkdtempSync('/tmp/bb-reclaim-');
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  mkdirSync(join(path, 'deep/deeper'), { recursive: true });
  writeFileSync(join(path, 'deep/deeper/file'), 'data');
  await release(storage, 'hostpath', { hostPath: { path }, persistentVolumeReclaimPolicy: 'Delete' });
  await until('the directory is gone', () => !existsSync(path));
  await until(
    'the volume is deleted',
    async () => (await storage.getVolume('hostpath')).metadata?.deletionTimestamp !== undefined,
  );
  t.pass();
});

test('Delete: a hostPath in which something is mounted stays, and so does what is mounted there', async (t) => {
  const storage = storageClient(t.context.client);
  const path = mkdtempSync('/tmp/bb-reclaim-');
  const mounted = join(path, 'deep');
  mkdirSync(mounted);
  mountTmpfs({ directory: mounted });
  t.teardown(() => {
    unmount(mounted, { ifMounted: true });
    rmSync(path, { recursive: true, force: true });
  });
  writeFileSync(join(mounted, 'file'), 'data');
  const spec = { hostPath: { path }, persistentVolumeReclaimPolicy: 'Delete' };
  const volume = await release(storage, 'mounted', spec);
  const message = `host_path deleter does not delete across mounts: tmpfs (tmpfs) is mounted on ${mounted}; unmount it first`;
  t.is((await storage.volumeIn('mounted', 'Failed')).status?.message, message);
  await eventAbout(t.context.client, volume, { reason: 'VolumeFailedDelete', message });
  t.true(existsSync(join(mounted, 'file')));
});

test('Delete: what cannot be deleted is Failed, with the reason', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const elsewhere = '/var/bb-nowhere/x';
  const failures = {
    elsewhere: {
      spec: { hostPath: { path: elsewhere } },
      message: `host_path deleter only supports /tmp/.+ but received provided ${elsewhere}`,
    },
    nfs: {
      spec: { nfs: { server: '192.0.2.1', path: '/x' } },
      message:
        'error getting deleter volume plugin for volume "fails-nfs": no deletable volume plugin matched',
    },
    local: {
      spec: { local: { path: '/x' }, nodeAffinity: { required: { nodeSelectorTerms: [hostnameTerm] } } },
      message: 'error getting deleter volume plugin for volume "fails-local": no volume plugin matched',
    },
  };
  for (const [kind, { spec, message }] of Object.entries(failures)) {
    const name = `fails-${kind}`;
    const volume = await release(storage, name, { ...spec, persistentVolumeReclaimPolicy: 'Delete' });
    const failed = await storage.volumeIn(name, 'Failed');
    t.is(failed.status?.message, message);
    t.is((await eventAbout(client, volume, { reason: 'VolumeFailedDelete', message })).type, 'Warning');
  }
});

const hostnameTerm = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['a'] }] };

test('Recycle: a Pod empties the volume, its events are told of the volume, which is then free', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const path = '/tmp/bb-recycle';
  const volume = await release(storage, 'recycle', {
    hostPath: { path },
    capacity: { storage: '4Gi' },
    persistentVolumeReclaimPolicy: 'Recycle',
  });
  const name = 'recycler-for-recycle';
  const pod = await until('the recycler is there', () =>
    found(client.resource(pods).get({ name, namespace: 'default' })),
  );
  t.like(pod.spec, {
    activeDeadlineSeconds: 120,
    restartPolicy: 'Never',
    volumes: [{ name: 'vol', hostPath: { path } }],
  });
  t.like(pod.spec?.containers[0], {
    name: 'pv-recycler',
    command: ['/bin/sh'],
    args: [
      '-c',
      'test -e /scrub && find /scrub -mindepth 1 -maxdepth 1 -exec rm -rf {} + && test -z "$(ls -A /scrub)" || exit 1',
    ],
  });
  await client.resource(events).create({
    object: {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'recycler-pulled', namespace: 'default' },
      involvedObject: { apiVersion: 'v1', kind: 'Pod', namespace: 'default', name },
      type: 'Normal',
      reason: 'Pulled',
      message: 'Container image is there',
    },
  });
  const told = await eventAbout(client, volume, { reason: 'RecyclerPod' });
  t.is(told.message, 'Recycler pod: Container image is there');
  const patch = { status: { phase: 'Succeeded' } };
  await client
    .resource(pods)
    .patch({ name, namespace: 'default', type: 'merge', subresource: 'status', patch });
  const free = await storage.volumeIn('recycle', 'Available');
  t.is(free.spec?.claimRef, undefined);
  t.is(free.metadata?.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined);
  await eventAbout(client, volume, { reason: 'VolumeRecycled', message: 'Volume recycled' });
  const left = await found(client.resource(pods).get({ name, namespace: 'default' }));
  t.true(left === undefined || left.metadata?.deletionTimestamp !== undefined, 'the recycler is deleted');
});

test('Recycle: a Pod that still uses the volume holds it up; a failing recycler is told, and tried again', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  await client.resource(pods).create({ object: aPodWith('scrub-user', ['scrub']) });
  const volume = await release(storage, 'scrub', { persistentVolumeReclaimPolicy: 'Recycle' });
  await eventAbout(client, volume, {
    reason: 'VolumeFailedRecycle',
    message: 'Volume is used by pods: default/scrub-user',
  });
  await client.resource(pods).delete({ name: 'scrub-user', namespace: 'default', gracePeriodSeconds: 0 });
  const name = 'recycler-for-scrub';
  const recycler = () => found(client.resource(pods).get({ name, namespace: 'default' }));
  const first = await until('the recycler is there', recycler);
  const patch = { status: { phase: 'Failed', message: 'Pod was active too long' } };
  await client
    .resource(pods)
    .patch({ name, namespace: 'default', type: 'merge', subresource: 'status', patch });
  const failed = await storage.volumeIn('scrub', 'Failed');
  const message = 'Recycle failed: failed to recycle volume: Pod was active too long';
  t.is(failed.status?.message, message);
  await eventAbout(client, volume, { reason: 'VolumeFailedRecycle', message });
  await until('another recycler', async () => {
    const next = await recycler();
    return next !== undefined && next.metadata?.uid !== first.metadata?.uid;
  });
});

test('Recycle: a volume of a kind without recycler is Failed', async (t) => {
  const { client } = t.context;
  const storage = storageClient(client);
  const iscsi = { targetPortal: '192.0.2.1', iqn: 'iqn.2026-01.com.example:x', lun: 0 };
  const volume = await release(storage, 'norecycler', {
    iscsi,
    hostPath: undefined as unknown as { path: string },
    persistentVolumeReclaimPolicy: 'Recycle',
  });
  const message = 'No recycler plugin found for the volume!';
  t.is((await storage.volumeIn('norecycler', 'Failed')).status?.message, message);
  await eventAbout(client, volume, { reason: 'VolumeFailedRecycle', message });
});

test('a volume that was made for a claim that has another one goes', async (t) => {
  const storage = storageClient(t.context.client);
  const spec = { storageClassName: 'superfluous' };
  await storage.createVolume('superfluous-1', spec);
  const { metadata } = await storage.createClaim('superfluous', spec);
  await storage.claimIn('superfluous', 'Bound');
  await storage.createVolume(
    'superfluous-2',
    {
      ...spec,
      csi: { driver: 'disks.example.com', volumeHandle: 'superfluous-2' },
      persistentVolumeReclaimPolicy: 'Delete',
      claimRef: { name: 'superfluous', namespace: 'default', uid: metadata?.uid ?? '' },
    },
    { annotations: { 'pv.kubernetes.io/provisioned-by': 'disks.example.com' } },
  );
  await storage.volumeIn('superfluous-2', 'Released');
  t.is((await storage.getVolume('superfluous-1')).status?.phase, 'Bound');
});
