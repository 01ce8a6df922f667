import test from 'ava';
import type { CSIStorageCapacity } from '../../../api/types.ts';
import { createCycleState } from '../../../scheduler/framework/cycle-state.ts';
import { findFeasibleNodes } from '../../../scheduler/framework/filter-nodes.ts';
import { aCluster, aNode, aPod } from '../fixtures.ts';
import { aClaim, aClass, aCsiNode, aPodWith, aVolume, zoneLabel } from '../storage-fixtures.ts';

const nodes = [
  aNode({ name: 'node-1', labels: { [zoneLabel]: 'a' } }),
  aNode({ name: 'node-2', labels: { [zoneLabel]: 'b' } }),
];

const clusterOf = ({
  claims = [aClaim()],
  volumes = [],
  classes = [aClass()],
  ...objects
}: {
  claims?: ReturnType<typeof aClaim>[];
  volumes?: ReturnType<typeof aVolume>[];
  classes?: ReturnType<typeof aClass>[];
  csinodes?: ReturnType<typeof aCsiNode>[];
  csidrivers?: object[];
  csistoragecapacities?: CSIStorageCapacity[];
}) =>
  aCluster({
    nodes,
    objects: {
      persistentvolumeclaims: claims,
      persistentvolumes: volumes,
      storageclasses: classes,
      ...objects,
    },
  });

const bindConflict = "2 node(s) didn't find available persistent volumes to bind";

test('a pod without claims is none of its business', (t) => {
  t.deepEqual(aCluster({ nodes }).filter(aPod()).names, ['node-1', 'node-2']);
});

test('claims with which a pod can run nowhere', (t) => {
  const messageOf = (claims: ReturnType<typeof aClaim>[], options = {}) =>
    clusterOf({ claims, ...options }).filter(aPodWith(['data'])).message;
  t.is(messageOf([]), '0/2 nodes are available: persistentvolumeclaim "data" not found.');
  t.is(
    messageOf([aClaim({ volumeName: 'pv', phase: 'Lost' })]),
    '0/2 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "pv".',
  );
  t.is(
    messageOf([aClaim({ deleted: true })]),
    '0/2 nodes are available: persistentvolumeclaim "data" is being deleted.',
  );
  const unbound = '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
  t.is(messageOf([aClaim()], { classes: [aClass({ volumeBindingMode: 'Immediate' })] }), unbound);
  t.is(messageOf([aClaim()], { classes: [] }), unbound);
  t.is(messageOf([aClaim({ storageClassName: '' })]), unbound);
  // It names its volume, and the binder hasn't finished.
  t.is(messageOf([{ ...aClaim(), spec: { storageClassName: 'late', volumeName: 'pv' } }]), unbound);
});

test("an ephemeral volume's claim must exist and be the pod's", (t) => {
  const volumeClaimTemplate = { spec: { accessModes: ['ReadWriteOnce'] } };
  const pod = aPod({ volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }] });
  t.is(
    clusterOf({ claims: [] }).filter(pod).message,
    '0/2 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "web-scratch".',
  );
  const claim = aClaim({ name: 'web-scratch' });
  t.is(
    clusterOf({ claims: [claim] }).filter(pod).message,
    '0/2 nodes are available: PVC default/web-scratch was not created for pod default/web (pod is not owner).',
  );
  const owner = {
    apiVersion: 'v1',
    kind: 'Pod',
    name: 'web',
    uid: pod.metadata?.uid ?? '',
    controller: true,
  };
  const owned = { ...claim, metadata: { ...claim.metadata, ownerReferences: [owner] } };
  t.is(clusterOf({ claims: [owned] }).filter(pod).names.length, 2);
});

test('a bound claim draws the pod to where its volume is', (t) => {
  const claims = [aClaim({ volumeName: 'pv' })];
  const near = clusterOf({ claims, volumes: [aVolume({ zone: 'b', phase: 'Bound' })] }).filter(
    aPodWith(['data']),
  );
  t.deepEqual(near.names, ['node-2']);
  t.deepEqual(near.rejections.get('node-1'), {
    code: 'UnschedulableAndUnresolvable',
    reasons: ["node(s) didn't match PersistentVolume's node affinity"],
    plugin: 'VolumeBinding',
  });
  const far = clusterOf({ claims, volumes: [aVolume({ zone: 'c', phase: 'Bound' })] });
  t.is(
    far.filter(aPodWith(['data'])).message,
    "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.",
  );
});

test('an unbound claim is matched with a free volume of its class, the smallest that fits', (t) => {
  const pod = aPodWith(['data']);
  const classes = [aClass({ provisioner: 'kubernetes.io/no-provisioner' })];
  const matches = (...volumes: ReturnType<typeof aVolume>[]) => clusterOf({ volumes, classes }).filter(pod);
  t.deepEqual(matches(aVolume({ zone: 'a' })).names, ['node-1']);
  t.is(matches().message, `0/2 nodes are available: ${bindConflict}.`);
  t.is(matches(aVolume({ size: '1Mi' })).names.length, 0);
  t.is(matches(aVolume({ phase: 'Released' })).names.length, 0);
  t.is(matches(aVolume({ storageClassName: 'other' })).names.length, 0);
  t.is(matches(aVolume({ volumeMode: 'Block' })).names.length, 0);
  t.is(matches(aVolume({ accessModes: ['ReadOnlyMany'] })).names.length, 0);
  t.is(matches(aVolume({ claimRef: { namespace: 'default', name: 'other' } })).names.length, 0);
  t.is(matches(aVolume({ claimRef: { namespace: 'default', name: 'data' }, zone: 'b' })).names[0], 'node-2');
});

test('two claims of a pod need two volumes', (t) => {
  const claims = [aClaim({ name: 'one', size: '5Gi' }), aClaim({ name: 'two' })];
  const classes = [aClass({ provisioner: 'kubernetes.io/no-provisioner' })];
  const pod = aPodWith(['one', 'two']);
  const filter = (...volumes: ReturnType<typeof aVolume>[]) =>
    clusterOf({ claims, classes, volumes }).filter(pod).names.length;
  t.is(filter(aVolume({ size: '10Gi' })), 0);
  t.is(filter(aVolume({ size: '10Gi' }), aVolume({ name: 'small' })), 2);
  // The smaller claim leaves the larger volume to the larger claim.
  t.is(filter(aVolume({ size: '10Gi' }), aVolume({ name: 'smaller', size: '4Gi' })), 2);
});

test('a volume is provisioned where its class allows it', (t) => {
  const pod = aPodWith(['data']);
  const filter = (zones: string[]) => clusterOf({ classes: [aClass({ zones })] }).filter(pod);
  t.deepEqual(filter(['b', 'c']).names, ['node-2']);
  t.is(filter(['c']).message, `0/2 nodes are available: ${bindConflict}.`);
  t.deepEqual(clusterOf({ classes: [aClass()] }).filter(pod).names, ['node-1', 'node-2']);
});

test('the sentence of the whole story', (t) => {
  const tainted = aNode({ name: 'node-0', spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } });
  const cluster = aCluster({
    nodes: [tainted, ...nodes],
    objects: { persistentvolumeclaims: [aClaim()], storageclasses: [aClass({ zones: ['d'] })] },
  });
  const outcome = cluster.filter(aPodWith(['data']));
  t.is(outcome.message, `0/3 nodes are available: 1 node(s) had untolerated taint(s), ${bindConflict}.`);
  const preemption = cluster.plugins.find(({ name }) => name === 'DefaultPreemption');
  t.is(
    preemption?.postFilter?.({ pod: aPodWith(['data']), state: createCycleState(), ...outcome })?.message,
    'preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  );
});

test('a claim that is being provisioned for one node stays there', (t) => {
  const claims = [aClaim({ annotations: { 'volume.kubernetes.io/selected-node': 'node-2' } })];
  t.deepEqual(clusterOf({ claims }).filter(aPodWith(['data'])).names, ['node-2']);
});

test('capacity counts for drivers that publish it', (t) => {
  const csidrivers = [{ metadata: { name: 'driver.example' }, spec: { storageCapacity: true } }];
  const capacity = (zone: string, sizes: Partial<CSIStorageCapacity>): CSIStorageCapacity => ({
    metadata: { name: `capacity-${zone}`, namespace: 'default' },
    storageClassName: 'late',
    nodeTopology: { matchLabels: { [zoneLabel]: zone } },
    ...sizes,
  });
  const filter = (csistoragecapacities: CSIStorageCapacity[], drivers: object[] = csidrivers) =>
    clusterOf({ csidrivers: drivers, csistoragecapacities }).filter(aPodWith(['data']));
  t.deepEqual(filter([capacity('a', { capacity: '1Gi' }), capacity('b', { capacity: '1Mi' })]).names, [
    'node-1',
  ]);
  t.deepEqual(filter([capacity('b', { capacity: '10Gi', maximumVolumeSize: '1Mi' })]).names, []);
  t.is(filter([]).message, '0/2 nodes are available: 2 node(s) did not have enough free storage.');
  const { nodeTopology: _, ...unreachable } = capacity('a', { capacity: '10Gi' });
  t.deepEqual(filter([unreachable]).names, []);
  t.deepEqual(filter([{ ...capacity('a', { capacity: '10Gi' }), storageClassName: 'other' }]).names, []);
  t.is(filter([], []).names.length, 2);
});

test('in-tree volumes of a node with their driver are where their labels say', (t) => {
  const labels = { 'failure-domain.beta.kubernetes.io/zone': 'b' };
  const volume = aVolume({ labels, gcePersistentDisk: { pdName: 'disk' }, phase: 'Bound' });
  const csinodes = nodes.map(({ metadata }) =>
    aCsiNode({ name: metadata?.name ?? '', migrated: 'kubernetes.io/gce-pd' }),
  );
  const bound = clusterOf({ claims: [aClaim({ volumeName: 'pv' })], volumes: [volume], csinodes });
  const outcome = bound.filter(aPodWith(['data']));
  t.deepEqual(outcome.names, ['node-2']);
  t.deepEqual(outcome.rejections.get('node-1')?.plugin, 'VolumeBinding');
  const free = clusterOf({
    classes: [aClass({ provisioner: 'kubernetes.io/no-provisioner' })],
    volumes: [{ ...volume, status: { phase: 'Available' } }],
    csinodes,
  });
  t.deepEqual(free.filter(aPodWith(['data'])).names, ['node-2']);
});

test('errors that are no rejection tell where they happened', (t) => {
  const { volumeBindingMode: _, ...modeless } = aClass();
  t.throws(() => clusterOf({ classes: [modeless] }).filter(aPodWith(['data'])), {
    message: 'running PreFilter plugin "VolumeBinding": VolumeBindingMode not set for StorageClass "late"',
  });
});

test('what is reserved for one pod is taken for the next, until it is given back', (t) => {
  const cluster = clusterOf({
    claims: [aClaim({ name: 'one' }), aClaim({ name: 'two' })],
    classes: [aClass({ provisioner: 'kubernetes.io/no-provisioner' })],
    volumes: [aVolume({ zone: 'a' })],
  });
  const plugin = cluster.plugins.find(({ name }) => name === 'VolumeBinding');
  const pod = aPodWith(['one']);
  const state = createCycleState();
  findFeasibleNodes(cluster.plugins, { pod, state, nodes: cluster.cache.nodes() });
  t.is(plugin?.reserve?.({ pod, state, nodeName: 'node-1' }), undefined);
  t.is(cluster.filter(aPodWith(['two'])).message, `0/2 nodes are available: ${bindConflict}.`);
  plugin?.unreserve?.({ pod, state, nodeName: 'node-1' });
  t.deepEqual(cluster.filter(aPodWith(['two'])).names, ['node-1']);
});

test('a claim reserved for provisioning on one node draws other pods there', (t) => {
  const cluster = clusterOf({});
  const plugin = cluster.plugins.find(({ name }) => name === 'VolumeBinding');
  const pod = aPodWith(['data']);
  const state = createCycleState();
  findFeasibleNodes(cluster.plugins, { pod, state, nodes: cluster.cache.nodes() });
  plugin?.reserve?.({ pod, state, nodeName: 'node-2' });
  t.deepEqual(cluster.filter(aPodWith(['data'], { name: 'other' })).names, ['node-2']);
  plugin?.unreserve?.({ pod, state, nodeName: 'node-2' });
  plugin?.unreserve?.({ pod, state, nodeName: 'node-2' });
  t.is(cluster.filter(aPodWith(['data'], { name: 'other' })).names.length, 2);
});

test('a decision on old facts is not assumed', (t) => {
  const volume = aVolume({ name: 'pv' });
  const cluster = clusterOf({
    classes: [aClass({ provisioner: 'kubernetes.io/no-provisioner' })],
    volumes: [{ ...volume, metadata: { ...volume.metadata, resourceVersion: '1' } }],
  });
  const plugin = cluster.plugins.find(({ name }) => name === 'VolumeBinding');
  const pod = aPodWith(['data']);
  const state = createCycleState();
  findFeasibleNodes(cluster.plugins, { pod, state, nodes: cluster.cache.nodes() });
  cluster
    .store('persistentvolumes')
    .set({ ...volume, metadata: { ...volume.metadata, resourceVersion: '2' } });
  t.throws(() => plugin?.reserve?.({ pod, state, nodeName: 'node-1' }), {
    message: '"pv" is out of sync (stored: 2, assume: 1)',
  });
});

test('hints: which events may help which pods', (t) => {
  const cluster = clusterOf({});
  const hints = cluster.plugins.find(({ name }) => name === 'VolumeBinding')?.hints ?? [];
  const helps = (
    resource: string,
    action: 'Add' | 'Update',
    { previous, object }: { previous?: object; object: object },
  ) =>
    hints.some(
      (hint) =>
        hint.resource === resource &&
        hint.actions.includes(action) &&
        (hint.mayHelp?.(aPodWith(['data']), { resource, action, previous, object }) ?? true),
    );
  t.true(helps('PersistentVolumeClaim', 'Add', { object: aClaim() }));
  t.false(helps('PersistentVolumeClaim', 'Add', { object: aClaim({ name: 'other' }) }));
  t.true(helps('PersistentVolume', 'Update', { object: aVolume() }));
  t.true(helps('StorageClass', 'Add', { object: aClass() }));
  t.false(helps('StorageClass', 'Update', { previous: aClass(), object: aClass() }));
  t.true(helps('StorageClass', 'Update', { previous: aClass(), object: aClass({ zones: ['a'] }) }));
  const capacity = (size: string) => ({ storageClassName: 'late', capacity: size });
  t.true(helps('CSIStorageCapacity', 'Update', { previous: capacity('1Gi'), object: capacity('2Gi') }));
  t.false(helps('CSIStorageCapacity', 'Update', { previous: capacity('2Gi'), object: capacity('1Gi') }));
  const driver = (storageCapacity: boolean) => ({ metadata: { name: 'd' }, spec: { storageCapacity } });
  t.true(helps('CSIDriver', 'Update', { previous: driver(true), object: driver(false) }));
  t.false(helps('CSIDriver', 'Update', { previous: driver(false), object: driver(true) }));
  t.false(helps('CSINode', 'Update', { previous: aCsiNode(), object: aCsiNode({ limits: { d: 1 } }) }));
  t.true(helps('CSINode', 'Update', { previous: aCsiNode(), object: aCsiNode({ migrated: 'x' }) }));
});
