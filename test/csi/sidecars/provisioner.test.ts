import test from 'ava';
import { selectedNode } from '../../../api/storage/annotations.ts';
import {
  csiNodes,
  persistentVolumeClaims,
  persistentVolumes,
  secrets,
  storageClasses,
} from '../../../client/resources.ts';
import { setFailpoint } from '../../../linux/failpoint.ts';
import type { CodeName } from '../../../csi/error.ts';
import type { CreateVolumeRequest } from '../../../csi/types.ts';
import { patience, until } from '../../environment.ts';
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

test('a claim of immediate binding gets its volume, with all that the class says', async (t) => {
  const rig = await startRig(t);
  await createClass(rig, {
    parameters: { 'csi.storage.k8s.io/fstype': 'xfs', type: 'gp3' },
    mountOptions: ['noatime'],
    reclaimPolicy: 'Retain',
  });
  const claim = await createClaim(rig, 'data');
  const name = `pvc-${claim.metadata?.uid}`;
  const volume = await rig.seen(persistentVolumes, name, () => true);

  t.like(rig.driver.asked('createVolume')[0], {
    name,
    capacityRange: { requiredBytes: 2 ** 30, limitBytes: 0 },
    parameters: { type: 'gp3' },
    accessibilityRequirements: null,
    volumeContentSource: null,
    volumeCapabilities: [
      {
        accessMode: { mode: 'SINGLE_NODE_WRITER' },
        mount: { fsType: 'xfs', mountFlags: ['noatime'], volumeMountGroup: '' },
      },
    ],
  });
  t.like(volume.metadata, {
    annotations: {
      'pv.kubernetes.io/provisioned-by': driverName,
      'volume.kubernetes.io/provisioner-deletion-secret-name': '',
      'volume.kubernetes.io/provisioner-deletion-secret-namespace': '',
    },
  });
  t.true(volume.metadata?.finalizers?.includes('external-provisioner.volume.kubernetes.io/finalizer'));
  t.like(volume.spec, {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage: '1Gi' },
    mountOptions: ['noatime'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: 'fast',
    volumeMode: 'Filesystem',
    csi: { driver: driverName, fsType: 'xfs', volumeHandle: `id-${name}` },
    claimRef: { name: 'data', namespace: 'default', uid: claim.metadata?.uid ?? '' },
  });
  t.regex(
    volume.spec?.csi?.volumeAttributes?.['storage.kubernetes.io/csiProvisionerIdentity'] ?? '',
    /^\d+-\d+-fake\.csi\.example\.com$/,
  );
  t.is(
    await rig.eventOf('data', 'Provisioning'),
    'External provisioner is provisioning volume for claim "default/data"',
  );
  t.is(await rig.eventOf('data', 'ProvisioningSucceeded'), `Successfully provisioned volume ${name}`);
});

test('block volumes, no file system asked for, and a claim of another provisioner', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  await createClaim(rig, 'other', { annotations: { 'volume.kubernetes.io/storage-provisioner': 'else' } });
  const block = await createClaim(rig, 'block', { volumeMode: 'Block', accessModes: ['ReadWriteMany'] });
  const plain = await createClaim(rig, 'plain', { accessModes: ['ReadWriteOncePod'] });
  const raw = await rig.seen(persistentVolumes, `pvc-${block.metadata?.uid}`, () => true);
  t.is(raw.spec?.csi?.fsType, undefined);
  t.is(raw.spec?.volumeMode, 'Block');
  const formatted = await rig.seen(persistentVolumes, `pvc-${plain.metadata?.uid}`, () => true);
  t.is(formatted.spec?.csi?.fsType, 'ext4');
  const asked = rig.driver.asked('createVolume') as unknown as CreateVolumeRequest[];
  const modes = asked.map(({ volumeCapabilities }) => volumeCapabilities[0]?.accessMode?.mode ?? '');
  t.deepEqual(
    modes.toSorted((a, b) => (a < b ? -1 : 1)),
    ['MULTI_NODE_MULTI_WRITER', 'SINGLE_NODE_WRITER'],
  );
  t.is(asked.length, 2);
});

const zoned = { plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'] } as const;
const zone = (name: string) => ({ 'example.com/zone': name });

test('a claim that waits for its first consumer is made near the selected node', async (t) => {
  const rig = await startRig(t, {
    plugin: [...zoned.plugin],
    volume: () => ({ accessibleTopology: [{ segments: zone('b') }] }),
  });
  await createClass(rig, { volumeBindingMode: 'WaitForFirstConsumer' });
  for (const name of ['a', 'b', 'c']) await createNode(rig, `node-${name}`, zone(name));
  const claim = await createClaim(rig, 'data');
  t.is(rig.driver.asked('createVolume').length, 0);
  await rig.client.resource(persistentVolumeClaims).patch({
    name: 'data',
    namespace: 'default',
    type: 'merge',
    patch: { metadata: { annotations: { [selectedNode]: 'node-b' } } },
  });
  const volume = await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  t.like(rig.driver.asked('createVolume')[0], {
    accessibilityRequirements: {
      requisite: [{ segments: zone('a') }, { segments: zone('b') }, { segments: zone('c') }],
      preferred: [{ segments: zone('b') }, { segments: zone('c') }, { segments: zone('a') }],
    },
  });
  t.deepEqual(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms, [
    { matchExpressions: [{ key: 'example.com/zone', operator: 'In', values: ['b'] }] },
  ]);
});

test('with no space near the selected node the scheduler is to choose again', async (t) => {
  const rig = await startRig(t, { plugin: [...zoned.plugin] });
  await createClass(rig, { volumeBindingMode: 'WaitForFirstConsumer' });
  await createNode(rig, 'node-a', zone('a'));
  rig.driver.plan('createVolume', failWith('RESOURCE_EXHAUSTED', 'zone a is full'));
  const claim = await createClaim(rig, 'data', { annotations: { [selectedNode]: 'node-a' } });
  await rig.seen(
    persistentVolumeClaims,
    'default/data',
    ({ metadata }) => metadata?.annotations?.[selectedNode] === undefined,
  );
  t.is(
    await rig.eventOf('data', 'ProvisioningFailed'),
    'rpc error: code = ResourceExhausted desc = zone a is full',
  );
  await rig.client.resource(persistentVolumeClaims).patch({
    name: 'data',
    namespace: 'default',
    type: 'merge',
    patch: { metadata: { annotations: { [selectedNode]: 'node-a' } } },
  });
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
});

test('a selected node that is gone means choosing again; one without the driver means waiting for it', async (t) => {
  const rig = await startRig(t, { plugin: [...zoned.plugin] });
  await createClass(rig, { volumeBindingMode: 'WaitForFirstConsumer' });
  await createClaim(rig, 'lost', { annotations: { [selectedNode]: 'gone' } });
  t.is(
    await rig.eventOf('lost', 'ProvisioningFailed'),
    'failed to get selected CSINode gone: csinode.storage.k8s.io "gone" not found',
  );
  await rig.seen(
    persistentVolumeClaims,
    'default/lost',
    ({ metadata }) => metadata?.annotations?.[selectedNode] === undefined,
  );

  const { csiNode } = await createNode(rig, 'node-a', zone('a'));
  const nodes = rig.client.resource(csiNodes);
  await nodes.patch({ name: 'node-a', type: 'merge', patch: { spec: { drivers: [] } } });
  const claim = await createClaim(rig, 'early', { annotations: { [selectedNode]: 'node-a' } });
  t.regex(await rig.eventOf('early', 'ProvisioningFailed'), /no topology key found for node node-a$/);
  await nodes.patch({ name: 'node-a', type: 'merge', patch: { spec: { drivers: csiNode.spec.drivers } } });
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
});

const inBackground: CodeName[] = ['CANCELLED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'ABORTED'];
const final: CodeName[] = [
  'UNKNOWN',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

test('each error of the driver is told, and tried again until it goes well', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  for (const code of [...inBackground, ...final]) rig.driver.plan('createVolume', failWith(code, code));
  const codes = [...inBackground, ...final];
  for (const [index] of codes.entries()) await createClaim(rig, `claim-${index}`);
  await until('all volumes are made', () => rig.driver.volumes.size === codes.length);
  const names = codes.map((_, index) => `claim-${index}`);
  const told = await until('each failure is told', async () => {
    const all = (await Promise.all(names.map((name) => rig.eventsOf(name)))).flat();
    const failures = all.filter(({ reason }) => reason === 'ProvisioningFailed');
    return failures.length >= codes.length ? failures : undefined;
  });
  for (const { type, message } of told) {
    t.is(type, 'Warning');
    t.regex(message, /^rpc error: code = \w+ desc = [A-Z_]+$/);
  }
});

test('what can never work is tried again seldom, but at once for a new class', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  rig.driver.plan('createVolume', failWith('INVALID_ARGUMENT', 'no such type'));
  const claim = await createClaim(rig, 'data');
  t.is(
    await rig.eventOf('data', 'ProvisioningFailed'),
    'Volume provisioning failed with infeasible error. Retries will be delayed. rpc error: code = InvalidArgument desc = no such type',
  );
  t.is(rig.driver.asked('createVolume').length, 1);
  await rig.client.resource(storageClasses).delete({ name: 'fast' });
  await createClass(rig);
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
});

test('a volume that may be in the making is finished although its claim is deleted', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  rig.driver.plan('createVolume', failWith('ABORTED', 'still at work'), 3);
  const claim = await createClaim(rig, 'data');
  await rig.eventOf('data', 'ProvisioningFailed');
  await rig.client.resource(persistentVolumeClaims).delete({ name: 'data', namespace: 'default' });
  const volume = await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  t.is(volume.spec?.claimRef?.uid, claim.metadata?.uid);
});

test('a driver that is down, slow, or dies with an answer on its lips makes one volume', async (t) => {
  const rig = await startRig(t, { driverDown: true, timeoutMs: 1_000 * patience });
  await createClass(rig);
  const claim = await createClaim(rig, 'data');
  t.truthy(await rig.eventOf('data', 'ProvisioningFailed', /code = Unavailable/));
  rig.driver.plan('createVolume', (_, signal) => {
    rig.driver.volumes.set(`pvc-${claim.metadata?.uid}`, { id: 'made', bytes: 2 ** 30 });
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve({})));
  });
  await rig.driver.start();
  const volume = await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  t.is(volume.spec?.csi?.volumeHandle, 'made');
  t.regex(await rig.eventOf('data', 'ProvisioningFailed', /Deadline/), /context deadline exceeded$/);
  t.is(rig.driver.volumes.size, 1);
});

// Failpoints are the whole process's.
test.serial('sidecars that end after the volume was made find it again', async (t) => {
  const rig = await startRig(t);
  await createClass(rig);
  using _ = setFailpoint('csi.provisioner.after-create-volume', '1*error');
  const claim = await createClaim(rig, 'data');
  await until('the volume is made', () => rig.driver.volumes.size === 1);
  await rig.restartSidecars();
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  t.is(rig.driver.volumes.size, 1);
});

test("secrets are found by the class's templates, and are given to the driver", async (t) => {
  const rig = await startRig(t);
  const key = (name: string) => `csi.storage.k8s.io/${name}`;
  await createClass(rig, {
    parameters: {
      [key('provisioner-secret-name')]: '${pvc.name}-secret',
      [key('provisioner-secret-namespace')]: '${pvc.namespace}',
      [key('node-stage-secret-name')]: "${pvc.annotations['example.com/stage']}",
      [key('node-stage-secret-namespace')]: 'storage',
    },
  });
  const claim = await createClaim(rig, 'data', { annotations: { 'example.com/stage': 'keys' } });
  t.is(
    await rig.eventOf('data', 'ProvisioningFailed'),
    'error getting secret data-secret in namespace default: secrets "data-secret" not found',
  );
  await rig.client.resource(secrets).create({
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'data-secret', namespace: 'default' },
      data: { token: Buffer.from('s3cret').toString('base64') },
    },
  });
  const name = `pvc-${claim.metadata?.uid}`;
  const volume = await rig.seen(persistentVolumes, name, () => true);
  t.like(rig.driver.asked('createVolume')[0], { secrets: { token: 's3cret' }, parameters: {} });
  t.deepEqual(volume.spec?.csi?.nodeStageSecretRef, { name: 'keys', namespace: 'storage' });
  await bind(rig, claim);
  await rig.client.resource(persistentVolumeClaims).delete({ name: 'data', namespace: 'default' });
  await release(rig, name);
  await until('the volume is deleted', () => rig.driver.volumes.size === 0);
  t.like(rig.driver.asked('deleteVolume')[0], { volumeId: `id-${name}`, secrets: { token: 's3cret' } });
});

test('mistakes of a class are told', async (t) => {
  const rig = await startRig(t);
  const cases: [Record<string, string>, string][] = [
    [
      { 'csi.storage.k8s.io/fstipe': 'x' },
      'failed to strip CSI Parameters of prefixed keys: found unknown parameter key "csi.storage.k8s.io/fstipe" with reserved namespace csi.storage.k8s.io/',
    ],
    [
      { 'csi.storage.k8s.io/fstype': 'x', FSType: 'y' },
      'fstype specified in parameters with both "fstype" and "csi.storage.k8s.io/fstype" keys',
    ],
    [
      { 'csi.storage.k8s.io/provisioner-secret-name': 'x' },
      'failed to get name and namespace template from params: either name and namespace for Provisioner secrets specified, Both must be specified',
    ],
  ];
  for (const [index, [parameters]] of cases.entries()) {
    await createClass(rig, { name: `class-${index}`, parameters });
    await createClaim(rig, `claim-${index}`, { storageClassName: `class-${index}` });
  }
  for (const [index, [, message]] of cases.entries())
    t.is(await rig.eventOf(`claim-${index}`, 'ProvisioningFailed'), message);
  t.is(rig.driver.asked('createVolume').length, 0);
});

test('a claim whose class comes later is provisioned when it comes', async (t) => {
  const rig = await startRig(t);
  const claim = await createClaim(rig, 'early');
  await createClaim(rig, 'other', { storageClassName: 'never' });
  await createClass(rig);
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  t.is(rig.driver.asked('createVolume').length, 1);
});
