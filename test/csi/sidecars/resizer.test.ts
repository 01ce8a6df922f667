import test from 'ava';
import type { PersistentVolumeClaim } from '../../../api/types.ts';
import {
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  volumeAttributesClasses,
} from '../../../client/resources.ts';
import { setFailpoint } from '../../../linux/failpoint.ts';
import { createDefaultAccount } from '../../client/api-server.ts';
import { failWith } from '../fake-driver.ts';
import { bind, createClaim, createClass, driverName, startRig } from '../sidecars-rig.ts';
import type { Rig } from '../sidecars-rig.ts';

/** A claim that is bound to a volume of 1Gi. */
const boundClaim = async (rig: Rig): Promise<{ claim: PersistentVolumeClaim; volume: string }> => {
  await createClass(rig, { allowVolumeExpansion: true });
  const claim = await createClaim(rig, 'data');
  const volume = `pvc-${claim.metadata?.uid}`;
  await rig.seen(persistentVolumes, volume, () => true);
  await bind(rig, claim);
  return { claim, volume };
};

const request = ({ client }: Rig, storage: string) =>
  client.resource(persistentVolumeClaims).patch({
    name: 'data',
    namespace: 'default',
    type: 'merge',
    patch: { spec: { resources: { requests: { storage } } } },
  });

const status = (claim: PersistentVolumeClaim) => claim.status?.allocatedResourceStatuses?.['storage'];
/** By their types, `Resizing` last: their order has no meaning. */
const conditionsOf = ({ status: { conditions = [] } = {} }: PersistentVolumeClaim) =>
  conditions
    .map(({ type, message }) => ({ type, ...(message === undefined ? {} : { message }) }))
    .toSorted((a, b) => (a.type < b.type ? -1 : 1));

test('growth that the node must finish: volume, annotation, conditions and events', async (t) => {
  const rig = await startRig(t);
  const { volume } = await boundClaim(rig);
  await request(rig, '2Gi');
  const pending = await rig.seen(
    persistentVolumeClaims,
    'default/data',
    (claim) => status(claim) === 'NodeResizePending',
  );
  t.deepEqual(rig.driver.asked('controllerExpandVolume'), [
    {
      volumeId: `id-${volume}`,
      capacityRange: { requiredBytes: 2 * 2 ** 30, limitBytes: 0 },
      secrets: {},
      volumeCapability: {
        accessMode: { mode: 'SINGLE_NODE_WRITER' },
        mount: { fsType: 'ext4', mountFlags: [], volumeMountGroup: '' },
      },
    },
  ]);
  t.deepEqual(conditionsOf(pending), [
    {
      type: 'FileSystemResizePending',
      message: 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.',
    },
    { type: 'Resizing' },
  ]);
  t.is(pending.status?.allocatedResources?.['storage'], '2Gi');
  t.is(pending.status?.capacity?.['storage'], '1Gi');
  const grown = await rig.seen(persistentVolumes, volume, () => true);
  t.is(grown.spec?.capacity?.['storage'], '2Gi');
  t.is(grown.metadata?.annotations?.['volume.alpha.kubernetes.io/pre-resize-capacity'], '1Gi');
  t.is(await rig.eventOf('data', 'Resizing'), `External resizer is resizing volume ${volume}`);
  t.is(await rig.eventOf('data', 'FileSystemResizeRequired'), 'Require file system resize of volume on node');

  // As the kubelet does.
  await rig.client.resource(persistentVolumeClaims).patch({
    name: 'data',
    namespace: 'default',
    type: 'merge',
    subresource: 'status',
    patch: { status: { capacity: { storage: '2Gi' }, conditions: null, allocatedResourceStatuses: null } },
  });
  await rig.seen(
    persistentVolumes,
    volume,
    ({ metadata }) => metadata?.annotations?.['volume.alpha.kubernetes.io/pre-resize-capacity'] === undefined,
  );
  t.is(rig.driver.asked('controllerExpandVolume').length, 1);
});

// Failpoints are the whole process's.
test.serial(
  'growth that needs no node is finished at once, although the resizer dies on the way',
  async (t) => {
    const rig = await startRig(t);
    await boundClaim(rig);
    using _ = setFailpoint('csi.resizer.after-expand', '1*error');
    const answer = () => ({ capacityBytes: 3 * 2 ** 30, nodeExpansionRequired: false });
    rig.driver.plan('controllerExpandVolume', answer, 10);
    await request(rig, '2500Mi');
    const finished = await rig.seen(
      persistentVolumeClaims,
      'default/data',
      (claim) => claim.status?.capacity?.['storage'] === '3Gi',
    );
    t.deepEqual(conditionsOf(finished), []);
    t.is(status(finished), undefined);
    t.is(finished.metadata?.annotations?.['volume.kubernetes.io/node-expansion-not-required'], 'true');
    t.is(await rig.eventOf('data', 'VolumeResizeSuccessful'), 'Resize volume succeeded');
  },
);

test('a refused size is told, not asked for again, and can be lowered', async (t) => {
  const rig = await startRig(t);
  const { volume } = await boundClaim(rig);
  rig.driver.plan('controllerExpandVolume', failWith('OUT_OF_RANGE', 'larger than any disk'));
  await request(rig, '9Ti');
  const refused = await rig.seen(
    persistentVolumeClaims,
    'default/data',
    (claim) => status(claim) === 'ControllerResizeInfeasible',
  );
  t.deepEqual(conditionsOf(refused), [
    {
      type: 'ControllerResizeError',
      message: 'failed to expand pvc with rpc error: code = OutOfRange desc = larger than any disk',
    },
    { type: 'Resizing' },
  ]);
  t.is(
    await rig.eventOf('data', 'VolumeResizeFailed'),
    `resize volume "${volume}" by resizer "${driverName}" failed: rpc error: code = OutOfRange desc = larger than any disk`,
  );
  t.is(rig.driver.asked('controllerExpandVolume').length, 1);
  await request(rig, '2Gi');
  const pending = await rig.seen(
    persistentVolumeClaims,
    'default/data',
    (claim) => status(claim) === 'NodeResizePending',
  );
  t.is(pending.status?.allocatedResources?.['storage'], '2Gi');
});

test('a size whose end is not known is gone on with, although the claim asks for less by now', async (t) => {
  const rig = await startRig(t);
  await boundClaim(rig);
  rig.driver.plan('controllerExpandVolume', failWith('DEADLINE_EXCEEDED', 'perhaps'), 3);
  await request(rig, '4Gi');
  await rig.eventOf('data', 'VolumeResizeFailed');
  await request(rig, '2Gi');
  const pending = await rig.seen(
    persistentVolumeClaims,
    'default/data',
    (claim) => status(claim) === 'NodeResizePending',
  );
  t.is(pending.status?.allocatedResources?.['storage'], '4Gi');
  for (const asked of rig.driver.asked('controllerExpandVolume'))
    t.like(asked, { capacityRange: { requiredBytes: 4 * 2 ** 30 } });
});

test('a driver that grows volumes only offline is asked again when the last Pod has ended', async (t) => {
  const rig = await startRig(t);
  await boundClaim(rig);
  await createDefaultAccount(rig.client);
  await rig.client.resource(pods).create({
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'user', namespace: 'default' },
      spec: {
        containers: [{ name: 'c', image: 'none' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
      },
    },
  });
  rig.driver.plan('controllerExpandVolume', failWith('FAILED_PRECONDITION', 'in use'));
  await request(rig, '2Gi');
  t.is(
    await rig.eventOf('data', 'VolumeResizeFailed', /Unable/),
    `Unable to expand default/data because CSI driver ${driverName} only supports offline expansion and volume is currently in-use`,
  );
  t.is(rig.driver.asked('controllerExpandVolume').length, 1);
  await rig.client.resource(pods).delete({ name: 'user', namespace: 'default', gracePeriodSeconds: 0 });
  await rig.seen(persistentVolumeClaims, 'default/data', (claim) => status(claim) === 'NodeResizePending');
});

const createAttributesClass = ({ client }: Rig, name: string) =>
  client.resource(volumeAttributesClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name },
      driverName,
      parameters: { iops: name },
    },
  });

const wantAttributes = ({ client }: Rig, volumeAttributesClassName: string) =>
  client.resource(persistentVolumeClaims).patch({
    name: 'data',
    namespace: 'default',
    type: 'merge',
    patch: { spec: { volumeAttributesClassName } },
  });

test('attributes are changed to those of another class, once it is there', async (t) => {
  const rig = await startRig(t);
  const { volume } = await boundClaim(rig);
  await wantAttributes(rig, 'gold');
  await rig.seen(
    persistentVolumeClaims,
    'default/data',
    ({ status: present }) => present?.modifyVolumeStatus?.status === 'Pending',
  );
  t.is(await rig.eventOf('data', 'VolumeModifyFailed'), 'VAC "gold" does not exist.');
  await createAttributesClass(rig, 'gold');
  const modified = await rig.seen(
    persistentVolumeClaims,
    'default/data',
    ({ status: present }) => present?.currentVolumeAttributesClassName === 'gold',
  );
  t.is(modified.status?.modifyVolumeStatus, undefined);
  t.deepEqual(conditionsOf(modified), []);
  t.like(rig.driver.asked('controllerModifyVolume')[0], {
    volumeId: `id-${volume}`,
    mutableParameters: { iops: 'gold' },
  });
  t.is((await rig.get(persistentVolumes, volume))?.spec?.volumeAttributesClassName, 'gold');
  t.is(
    await rig.eventOf('data', 'VolumeModifySuccessful'),
    'external resizer modified volume data with vac gold successfully',
  );
});

test('refused attributes are told; another class is gone for only when the end of the first is known', async (t) => {
  const rig = await startRig(t);
  await boundClaim(rig);
  for (const name of ['gold', 'silver']) await createAttributesClass(rig, name);
  rig.driver.plan('controllerModifyVolume', failWith('ABORTED', 'still at it'), 3);
  rig.driver.plan('controllerModifyVolume', failWith('INVALID_ARGUMENT', 'no gold here'));
  await wantAttributes(rig, 'gold');
  t.is(
    await rig.eventOf('data', 'VolumeModifyFailed'),
    'rpc error: code = Aborted desc = still at it. Still modifying to VAC gold',
  );
  await wantAttributes(rig, 'silver');
  await rig.seen(
    persistentVolumeClaims,
    'default/data',
    ({ status: present }) => present?.currentVolumeAttributesClassName === 'silver',
  );
  const asked = rig.driver.asked('controllerModifyVolume').map(({ mutableParameters }) => mutableParameters);
  t.deepEqual(asked, [...Array.from({ length: 4 }, () => ({ iops: 'gold' })), { iops: 'silver' }]);
});
