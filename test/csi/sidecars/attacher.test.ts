import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { PersistentVolume, PersistentVolumeSpec, VolumeAttachment } from '../../../api/types.ts';
import { csiNodes, persistentVolumes, secrets, volumeAttachments } from '../../../client/resources.ts';
import { setFailpoint } from '../../../linux/failpoint.ts';
import { until } from '../../environment.ts';
import { failWith } from '../fake-driver.ts';
import { createNode, driverName, startRig } from '../sidecars-rig.ts';
import type { Rig, RigOptions } from '../sidecars-rig.ts';

const finalizer = 'external-attacher/fake-csi-example-com';

const createVolume = (
  { client }: Rig,
  name: string,
  spec: PersistentVolumeSpec = {},
): Promise<PersistentVolume> =>
  client.resource(persistentVolumes).create({
    object: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        mountOptions: ['noatime'],
        ...spec,
        csi: {
          driver: driverName,
          volumeHandle: `id-${name}`,
          volumeAttributes: { tier: 'hot' },
          ...spec.csi,
        },
      },
    },
  });

const attach = ({ client }: Rig, volume: string, nodeName = 'node-a'): Promise<VolumeAttachment> =>
  client.resource(volumeAttachments).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: `${volume}-on-${nodeName}` },
      spec: { attacher: driverName, nodeName, source: { persistentVolumeName: volume } },
    },
  });

const detach = ({ client }: Rig, name: string) => client.resource(volumeAttachments).delete({ name });
const isAttached = ({ status }: VolumeAttachment) => status?.attached === true;

const startWithNode = async (t: ExecutionContext, options: RigOptions = {}) => {
  const rig = await startRig(t, options);
  await createNode(rig, 'node-a');
  return rig;
};

test('an attachment is carried out, kept until it is undone, and undone', async (t) => {
  const rig = await startWithNode(t);
  await createVolume(rig, 'data');
  await attach(rig, 'data');
  const attached = await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
  t.deepEqual(attached.status?.attachmentMetadata, { devicePath: '/dev/id-data' });
  t.deepEqual(attached.metadata?.finalizers, [finalizer]);
  t.is(attached.metadata?.annotations?.['csi.alpha.kubernetes.io/node-id'], 'id-of-node-a');
  t.deepEqual(rig.driver.asked('controllerPublishVolume'), [
    {
      volumeId: 'id-data',
      nodeId: 'id-of-node-a',
      readonly: false,
      secrets: {},
      volumeContext: { tier: 'hot' },
      volumeCapability: {
        accessMode: { mode: 'SINGLE_NODE_WRITER' },
        mount: { fsType: 'ext4', mountFlags: ['noatime'], volumeMountGroup: '' },
      },
    },
  ]);
  const volume = await rig.seen(persistentVolumes, 'data', () => true);
  t.true(volume.metadata?.finalizers?.includes(finalizer));

  // The volume is held for as long as it is attached.
  await rig.client.resource(persistentVolumes).delete({ name: 'data' });
  await detach(rig, 'data-on-node-a');
  await rig.gone(volumeAttachments, 'data-on-node-a');
  t.is(rig.driver.published.size, 0);
  await rig.seen(
    persistentVolumes,
    'data',
    ({ metadata }) => metadata?.finalizers?.includes(finalizer) === false,
  );
});

test('a failed attach is told with its code, and tried again until it goes well', async (t) => {
  const rig = await startWithNode(t);
  await createVolume(rig, 'data');
  rig.driver.plan('controllerPublishVolume', failWith('INTERNAL', 'no slot is free'), 2);
  let released = () => {};
  const held = new Promise<void>((resolve) => (released = resolve));
  rig.driver.plan('controllerPublishVolume', () => held);
  await attach(rig, 'data');
  const failed = await rig.seen(
    volumeAttachments,
    'data-on-node-a',
    ({ status }) => status?.attachError !== undefined,
  );
  t.like(failed.status, {
    attached: false,
    attachError: { message: 'rpc error: code = Internal desc = no slot is free', errorCode: 13 },
  });
  released();
  const attached = await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
  t.is(attached.status?.attachError, undefined);
});

test('an attach that failed is detached all the same, and no detach is lost to errors or restarts', async (t) => {
  const rig = await startWithNode(t);
  await createVolume(rig, 'data');
  rig.driver.plan('controllerPublishVolume', failWith('DEADLINE_EXCEEDED', 'perhaps'), 1_000);
  await attach(rig, 'data');
  await rig.seen(volumeAttachments, 'data-on-node-a', ({ status }) => status?.attachError !== undefined);
  rig.driver.plan('controllerUnpublishVolume', failWith('UNAVAILABLE', 'gone fishing'), 2);
  let released = () => {};
  const held = new Promise<void>((resolve) => (released = resolve));
  rig.driver.plan('controllerUnpublishVolume', () => held);
  await detach(rig, 'data-on-node-a');
  const failed = await rig.seen(
    volumeAttachments,
    'data-on-node-a',
    ({ status }) => status?.detachError !== undefined,
  );
  t.is(failed.status?.detachError?.message, 'rpc error: code = Unavailable desc = gone fishing');
  await rig.restartSidecars();
  released();
  await rig.gone(volumeAttachments, 'data-on-node-a');
  t.true(rig.driver.asked('controllerUnpublishVolume').length >= 3);
});

// Failpoints are the whole process's.
test.serial('dying between the driver and the API server loses neither attach nor detach', async (t) => {
  const rig = await startWithNode(t);
  await createVolume(rig, 'data');
  using _afterPublish = setFailpoint('csi.attacher.after-publish', '1*error');
  using _afterUnpublish = setFailpoint('csi.attacher.after-unpublish', '1*error');
  await attach(rig, 'data');
  await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
  t.is(rig.driver.asked('controllerPublishVolume').length, 2);
  await detach(rig, 'data-on-node-a');
  await rig.gone(volumeAttachments, 'data-on-node-a');
  t.is(rig.driver.asked('controllerUnpublishVolume').length, 2);
});

test('a volume can be detached from a node that is gone', async (t) => {
  const rig = await startWithNode(t);
  await createVolume(rig, 'data');
  await attach(rig, 'data');
  await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
  await rig.client.resource(csiNodes).delete({ name: 'node-a' });
  await detach(rig, 'data-on-node-a');
  await rig.gone(volumeAttachments, 'data-on-node-a');
  t.like(rig.driver.asked('controllerUnpublishVolume')[0], { volumeId: 'id-data', nodeId: 'id-of-node-a' });
});

test('an attachment waits for its volume and its node', async (t) => {
  const rig = await startRig(t);
  await attach(rig, 'data');
  const without = await rig.seen(
    volumeAttachments,
    'data-on-node-a',
    ({ status }) => status?.attachError !== undefined,
  );
  t.is(without.status?.attachError?.message, 'persistentvolume "data" not found');
  await createVolume(rig, 'data');
  await rig.seen(
    volumeAttachments,
    'data-on-node-a',
    ({ status }) => status?.attachError?.message === 'csinode.storage.k8s.io "node-a" not found',
  );
  await createNode(rig, 'node-a');
  await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
});

test("drivers that needn't attach have their attachments attached, without finalizer", async (t) => {
  const rig = await startWithNode(t, { controller: ['CREATE_DELETE_VOLUME'] });
  await createVolume(rig, 'data');
  await attach(rig, 'data');
  const attached = await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
  t.is(attached.metadata?.finalizers, undefined);
  t.is(attached.status?.attachmentMetadata, undefined);
  await detach(rig, 'data-on-node-a');
  await rig.gone(volumeAttachments, 'data-on-node-a');
  t.deepEqual(rig.driver.calls, []);
});

test('read only, block, secrets, and who may share it, as driver and volume say', async (t) => {
  const rig = await startWithNode(t, {
    controller: ['PUBLISH_UNPUBLISH_VOLUME', 'PUBLISH_READONLY', 'SINGLE_NODE_MULTI_WRITER'],
  });
  await rig.client.resource(secrets).create({
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'keys', namespace: 'default' },
      data: { token: Buffer.from('s3cret').toString('base64') },
    },
  });
  await createVolume(rig, 'data', {
    volumeMode: 'Block',
    csi: {
      driver: driverName,
      volumeHandle: 'id-data',
      readOnly: true,
      controllerPublishSecretRef: { name: 'keys', namespace: 'default' },
    },
  });
  await attach(rig, 'data');
  await rig.seen(volumeAttachments, 'data-on-node-a', isAttached);
  t.like(rig.driver.asked('controllerPublishVolume')[0], {
    readonly: true,
    secrets: { token: 's3cret' },
    volumeCapability: { accessMode: { mode: 'SINGLE_NODE_MULTI_WRITER' }, block: {} },
  });
});

test('attachments of other attachers are left alone', async (t) => {
  const rig = await startWithNode(t);
  await createVolume(rig, 'theirs');
  await rig.client.resource(volumeAttachments).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'theirs' },
      spec: { attacher: 'other.example.com', nodeName: 'node-a', source: { persistentVolumeName: 'theirs' } },
    },
  });
  await createVolume(rig, 'ours');
  await attach(rig, 'ours');
  await rig.seen(volumeAttachments, 'ours-on-node-a', isAttached);
  t.false(isAttached((await rig.get(volumeAttachments, 'theirs')) as VolumeAttachment));
  await until('one volume is attached', () => rig.driver.asked('controllerPublishVolume').length === 1);
});
