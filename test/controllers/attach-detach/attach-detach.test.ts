import test from 'ava';
import type { PersistentVolumeSpec, VolumeAttachment } from '../../../api/types.ts';
import {
  csiNodes,
  nodes,
  persistentVolumeClaims,
  pods,
  volumeAttachments,
} from '../../../client/resources.ts';
import { migratedPluginsAnnotation } from '../../../csi/translation/index.ts';
import { until } from '../../environment.ts';
import { eventAbout } from '../controller-rig.ts';
import { DRIVER, startAttachRig } from './attach-rig.ts';

test('a volume is attached to the node of its Pod, and detached after it', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  await rig.createVolume('v');
  const pod = await rig.createPod('p', 'n1', ['v']);
  const object = await rig.asked('v', 'n1');
  t.regex(object.metadata?.name ?? '', /^csi-[0-9a-f]{64}$/);
  t.deepEqual(object.spec, { attacher: DRIVER, nodeName: 'n1', source: { persistentVolumeName: 'v' } });
  t.deepEqual((await rig.nodeNamed('n1')).status?.volumesAttached, undefined);
  await rig.attach('v', 'n1');
  await rig.shows('n1', ['v']);
  await eventAbout(rig.client, pod, {
    reason: 'SuccessfulAttachVolume',
    message: 'AttachVolume.Attach succeeded for volume "v" ',
  });

  await rig.setInUse('n1', ['v']);
  await rig.endPod('p');
  // Another volume's whole way shows that the controller has had time to do wrong.
  await rig.createVolume('w');
  await rig.createPod('q', 'n1', ['w']);
  await rig.attach('w', 'n1');
  await rig.shows('n1', ['v', 'w']);
  t.is((await rig.attachment('v', 'n1'))?.metadata?.deletionTimestamp, undefined);
  await rig.setInUse('n1', ['w']);
  await rig.shows('n1', ['w']);
  await rig.detach('v', 'n1');
  await until('v is detached', async () => (await rig.attachment('v', 'n1')) === undefined);
});

test('the attacher is asked once the claim is bound; its complaints are told', async (t) => {
  const rig = await startAttachRig({ attachTimeoutMs: 300 });
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  const pod = await rig.createPod('p', 'n1', ['v']);
  await rig.createVolume('v');
  await rig.asked('v', 'n1');
  await eventAbout(rig.client, pod, {
    reason: 'FailedAttachVolume',
    message: `AttachVolume.Attach failed for volume "v" : timed out waiting for external-attacher of ${DRIVER} CSI driver to attach volume v`,
  });
  await rig.failAttach('v', 'n1', 'rpc error: code = Internal desc = no slot');
  await eventAbout(rig.client, pod, {
    reason: 'FailedAttachVolume',
    message: 'AttachVolume.Attach failed for volume "v" : rpc error: code = Internal desc = no slot',
  });
  await rig.attach('v', 'n1');
  const { type } = await eventAbout(rig.client, pod, { reason: 'SuccessfulAttachVolume' });
  t.is(type, 'Normal');
});

test('a volume for one node is refused to a second until the first has let go', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  for (const name of ['n1', 'n2']) await rig.createNode(name);
  await rig.createVolume('v');
  await rig.createPod('p', 'n1', ['v']);
  await rig.attach('v', 'n1');
  await rig.setInUse('n1', ['v']);
  await rig.shows('n1', ['v']);
  const second = await rig.createPod('q', 'n2', ['v']);
  await eventAbout(rig.client, second, {
    reason: 'FailedAttachVolume',
    message:
      'Multi-Attach error for volume "v" Volume is already used by pod(s) p on node n1; it is detached when they have ended',
  });
  t.is(await rig.attachment('v', 'n2'), undefined);
  await rig.endPod('p');
  await eventAbout(rig.client, second, {
    reason: 'FailedAttachVolume',
    message:
      'Multi-Attach error for volume "v" Volume is already exclusively attached to one node and can\'t be attached to another: node n1 has it; it is being unmounted there',
  });
  await rig.setInUse('n1', []);
  await rig.detach('v', 'n1');
  await rig.attach('v', 'n2');
  await rig.shows('n2', ['v']);
  t.is(await rig.attachment('v', 'n1'), undefined);
});

test('a volume for many nodes is attached to each, and detached from each by itself', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  for (const name of ['n1', 'n2']) await rig.createNode(name);
  await rig.createVolume('v', { accessModes: ['ReadWriteMany'] });
  for (const name of ['n1', 'n2']) {
    await rig.createPod(`p-${name}`, name, ['v']);
    await rig.attach('v', name);
    await rig.shows(name, ['v']);
  }
  await rig.endPod('p-n1');
  await rig.detach('v', 'n1');
  await rig.shows('n1', []);
  t.is((await rig.attachment('v', 'n2'))?.status?.attached, true);
});

test('from a node that is lost a volume is taken after the time for unmounting, not before', async (t) => {
  const rig = await startAttachRig({ maxWaitForUnmountMs: 1500 });
  t.teardown(() => rig.stop());
  for (const name of ['n1', 'n2']) await rig.createNode(name);
  await rig.createVolume('v');
  await rig.createPod('p', 'n1', ['v']);
  await rig.attach('v', 'n1');
  await rig.setInUse('n1', ['v']);
  await rig.shows('n1', ['v']);
  await rig.setReady('n1', false);
  const second = await rig.createPod('q', 'n2', ['v']);
  await eventAbout(rig.client, second, {
    reason: 'FailedAttachVolume',
    message:
      'Multi-Attach error for volume "v" Volume is already used by pod(s) p on node n1; the node is not ready; the volume is detached by force 2s after they have been deleted',
  });
  const endedAtMs = Date.now();
  await rig.endPod('p');
  const message = await until('the time left', async () => {
    const messages = await rig.messages('q', 'FailedAttachVolume');
    return messages.find((text) => text.includes('exclusively attached'));
  });
  t.regex(
    message,
    /^Multi-Attach error for volume "v" Volume is already exclusively attached to one node and can't be attached to another: node n1 has it; the node is not ready; the volume is detached by force in [0-2]s$/,
  );
  await rig.detach('v', 'n1');
  t.true(Date.now() - endedAtMs >= 1500);
  await rig.attach('v', 'n2');
  await rig.shows('n2', ['v']);
});

test('the out-of-service taint takes volumes at once, and alone where force by time is off', async (t) => {
  const rig = await startAttachRig({ maxWaitForUnmountMs: 1, disableForceDetachOnTimeout: true });
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  await rig.createVolume('v');
  await rig.createPod('p', 'n1', ['v']);
  await rig.attach('v', 'n1');
  await rig.setInUse('n1', ['v']);
  await rig.shows('n1', ['v']);
  await rig.setReady('n1', false);
  await rig.endPod('p');
  await rig.createVolume('w');
  await rig.createPod('q', 'n1', ['w']);
  await rig.attach('w', 'n1');
  await rig.shows('n1', ['v', 'w']);
  t.is((await rig.attachment('v', 'n1'))?.metadata?.deletionTimestamp, undefined);
  await rig.taint('n1', 'node.kubernetes.io/out-of-service');
  await rig.detach('v', 'n1');
  await rig.shows('n1', ['w']);
});

test('volumes of drivers that need no attaching are left alone', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  await rig.createVolume('v');
  await rig.createDriver({ attachRequired: false });
  await rig.createPod('p', 'n1', ['v']);
  await rig.createVolume('other', { csi: { driver: 'other.example.com', volumeHandle: 'x' } });
  await rig.createPod('q', 'n1', ['other']);
  const objects = await until("the other driver's attachment", async () => {
    const { items } = await rig.client.resource(volumeAttachments).list();
    return items.length > 0 && items;
  });
  t.deepEqual(
    objects.map(({ spec }) => spec.attacher),
    ['other.example.com'],
  );
});

test('a restarted controller knows what is attached, and takes away what has become useless', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  for (const name of ['kept', 'gone']) {
    await rig.createVolume(name);
    await rig.createPod(`p-${name}`, 'n1', [name]);
    await rig.attach(name, 'n1');
  }
  await rig.shows('n1', ['gone', 'kept']);
  await rig.setInUse('n1', ['kept']);
  await rig.stopControllers();
  await rig.endPod('p-gone');
  // Its claim is no help any more.
  await rig.client
    .resource(persistentVolumeClaims)
    .patch({ name: 'gone', namespace: 'default', type: 'merge', patch: { metadata: { finalizers: null } } });
  await rig.client.resource(persistentVolumeClaims).delete({ name: 'gone', namespace: 'default' });
  await rig.startController();
  await rig.detach('gone', 'n1');
  await rig.shows('n1', ['kept']);
  const kept = await rig.attachment('kept', 'n1');
  t.is(kept?.metadata?.deletionTimestamp, undefined);
  // A Pod that comes now finds it attached without another attachment.
  await rig.endPod('p-kept');
  await rig.createPod('next', 'n1', ['kept']);
  await rig.shows('n1', ['kept']);
  t.is((await rig.attachment('kept', 'n1'))?.metadata?.uid, kept?.metadata?.uid);
});

test('an attachment that nobody is left for is taken away at start', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  await rig.createVolume('v');
  await rig.createPod('p', 'n1', ['v']);
  await rig.attach('v', 'n1');
  await rig.shows('n1', ['v']);
  await rig.setInUse('n1', []);
  await rig.stopControllers();
  await rig.endPod('p');
  const stray: VolumeAttachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'by-hand' },
    spec: { attacher: DRIVER, nodeName: 'n1', source: { persistentVolumeName: 'v' } },
  };
  await rig.client.resource(volumeAttachments).create({ object: stray });
  await rig.startController();
  await rig.detach('v', 'n1');
  await until('v is detached', async () => (await rig.attachment('v', 'n1')) === undefined);
  const { items } = await rig.client.resource(volumeAttachments).list();
  t.deepEqual(
    items.map(({ metadata }) => metadata?.name),
    ['by-hand'],
  );
});

test('a deleted node keeps what it had in use for the time of unmounting', async (t) => {
  const rig = await startAttachRig({ maxWaitForUnmountMs: 1000 });
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  for (const name of ['used', 'unused']) {
    await rig.createVolume(name);
    await rig.createPod(`p-${name}`, 'n1', [name]);
    await rig.attach(name, 'n1');
  }
  await rig.shows('n1', ['unused', 'used']);
  await rig.setInUse('n1', ['used']);
  await rig.client.resource(nodes).delete({ name: 'n1' });
  const endedAtMs = Date.now();
  for (const name of ['used', 'unused']) await rig.endPod(`p-${name}`);
  await rig.detach('unused', 'n1');
  await rig.detach('used', 'n1');
  t.true(Date.now() - endedAtMs >= 1000);
});

test('what goes wrong from outside is put right: a deleted attachment, a lost node status', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  await rig.createVolume('v');
  await rig.createPod('p', 'n1', ['v']);
  await rig.attach('v', 'n1');
  await rig.shows('n1', ['v']);
  await rig.client.resource(nodes).patch({
    name: 'n1',
    type: 'merge',
    subresource: 'status',
    patch: { status: { volumesAttached: null } },
  });
  await rig.shows('n1', ['v']);
  const before = await rig.attachment('v', 'n1');
  await rig.client.resource(volumeAttachments).delete({ name: before?.metadata?.name ?? '' });
  await rig.detach('v', 'n1');
  await rig.shows('n1', []);
  const after = await until('a new attachment', async () => {
    const object = await rig.attachment('v', 'n1');
    return object?.metadata?.uid !== before?.metadata?.uid && object;
  });
  t.not(after.metadata?.uid, undefined);
  await rig.attach('v', 'n1');
  await rig.shows('n1', ['v']);
});

test('a Pod that has ended keeps nothing attached', async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  await rig.createVolume('v');
  await rig.createPod('p', 'n1', ['v']);
  await rig.attach('v', 'n1');
  await rig.shows('n1', ['v']);
  const patch = { status: { phase: 'Succeeded' } };
  await rig.client
    .resource(pods)
    .patch({ name: 'p', namespace: 'default', type: 'merge', subresource: 'status', patch });
  await rig.detach('v', 'n1');
  t.true(await rig.shows('n1', []));
});

test("a Pod's own in-tree disk is attached by the driver that took the plugin's place", async (t) => {
  const rig = await startAttachRig();
  t.teardown(() => rig.stop());
  await rig.createNode('n1');
  const create = (name: string) =>
    rig.client.resource(pods).create({
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name, namespace: 'default' },
        spec: {
          nodeName: 'n1',
          containers: [{ name: 'main', image: 'busybox' }],
          volumes: [{ name: 'disk', gcePersistentDisk: { pdName: 'pd-1' } }],
        },
      },
    });
  await create('p');
  await rig.client.resource(csiNodes).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'n1', annotations: { [migratedPluginsAnnotation]: 'kubernetes.io/gce-pd' } },
      spec: { drivers: [] },
    },
  });
  const object = await until('an attachment', async () => {
    const { items } = await rig.client.resource(volumeAttachments).list();
    return items[0];
  });
  t.is(object.spec.attacher, 'pd.csi.storage.gke.io');
  const { csi, accessModes } = (object.spec.source.inlineVolumeSpec ?? {}) as PersistentVolumeSpec;
  t.deepEqual([csi?.driver, accessModes], ['pd.csi.storage.gke.io', ['ReadWriteOnce']]);
});
