import test from 'ava';
import type { Volume } from '../../../api/types.ts';
import { createCycleState } from '../../../scheduler/framework/cycle-state.ts';
import { aCluster, aNode, aPod } from '../fixtures.ts';
import { aClaim, aPodWith, aVolume } from '../storage-fixtures.ts';

const withVolume = (name: string, source: Omit<Volume, 'name'>) =>
  aPod({ name, volumes: [{ name: 'disk', ...source }] });

const conflicts = (first: Omit<Volume, 'name'>, second: Omit<Volume, 'name'>): boolean => {
  const nodes = [aNode(), aNode({ name: 'node-2' })];
  const cluster = aCluster({ nodes, pods: { 'node-1': [withVolume('first', first)] } });
  const { names, rejections } = cluster.filter(withVolume('second', second));
  const isRejected = rejections.get('node-1')?.reasons[0] === 'node(s) had no available disk';
  return names.includes('node-2') && isRejected;
};

test('a GCE disk is shared on a node only when all read', (t) => {
  const disk = (pdName: string, readOnly = false) => ({ gcePersistentDisk: { pdName, readOnly } });
  t.true(conflicts(disk('a'), disk('a')));
  t.true(conflicts(disk('a', true), disk('a')));
  t.false(conflicts(disk('a', true), disk('a', true)));
  t.false(conflicts(disk('a'), disk('b')));
});

test('an EBS volume is never shared', (t) => {
  const disk = (volumeID: string) => ({ awsElasticBlockStore: { volumeID, readOnly: true } });
  t.true(conflicts(disk('a'), disk('a')));
  t.false(conflicts(disk('a'), disk('b')));
});

test('iscsi and rbd', (t) => {
  const iscsi = (iqn: string, readOnly = false) => ({
    iscsi: { iqn, readOnly, lun: 0, targetPortal: '10.0.0.1' },
  });
  t.true(conflicts(iscsi('a'), iscsi('a')));
  t.false(conflicts(iscsi('a', true), iscsi('a', true)));
  const rbd = (monitors: string[], pool: string, image: string) => ({ rbd: { monitors, pool, image } });
  t.true(conflicts(rbd(['a', 'b'], 'p', 'i'), rbd(['b', 'c'], 'p', 'i')));
  t.false(conflicts(rbd(['a'], 'p', 'i'), rbd(['b'], 'p', 'i')));
  t.false(conflicts(rbd(['a'], 'p', 'i'), rbd(['a'], 'q', 'i')));
});

const inUse =
  'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod';

const exclusiveCluster = (usedBy: ReturnType<typeof aPodWith>) =>
  aCluster({
    nodes: [aNode(), aNode({ name: 'node-2' })],
    pods: { 'node-1': [usedBy] },
    objects: {
      persistentvolumeclaims: [aClaim({ volumeName: 'pv', accessModes: ['ReadWriteOncePod'] })],
      persistentvolumes: [aVolume({ phase: 'Bound' })],
    },
  });

test('a claim for one pod alone keeps a second one away from all nodes', (t) => {
  const cluster = exclusiveCluster(aPodWith(['data'], { name: 'first' }));
  t.is(cluster.filter(aPodWith(['data'])).message, `0/2 nodes are available: 2 ${inUse}.`);
  t.is(exclusiveCluster(aPodWith(['other'], { name: 'first' })).filter(aPodWith(['data'])).names.length, 2);
  const elsewhere = aPodWith(['data'], { name: 'first' });
  const otherNamespace = { ...elsewhere, metadata: { ...elsewhere.metadata, namespace: 'other' } };
  t.is(exclusiveCluster(otherNamespace).filter(aPodWith(['data'])).names.length, 2);
});

test('a more important pod may take such a claim over', (t) => {
  const cluster = exclusiveCluster(aPodWith(['data'], { name: 'first', priority: 1 }));
  const pod = aPodWith(['data'], { priority: 10 });
  const { rejections, absent } = cluster.filter(pod);
  const preemption = cluster.plugins.find(({ name }) => name === 'DefaultPreemption');
  const options = { pod, state: createCycleState(), rejections, absent };
  t.is(preemption?.postFilter?.(options)?.nominatedNodeName, 'node-1');
});

test('the end of a pod with the same disk or claim may help', (t) => {
  const hints =
    aCluster({ nodes: [] }).plugins.find(({ name }) => name === 'VolumeRestrictions')?.hints ?? [];
  const helps = (pod: ReturnType<typeof aPod>, previous: ReturnType<typeof aPod>) =>
    hints.some(
      (hint) =>
        hint.resource === 'AssignedPod' &&
        hint.mayHelp?.(pod, { resource: 'AssignedPod', action: 'Delete', previous }),
    );
  t.true(helps(aPodWith(['data']), aPodWith(['data'])));
  t.false(helps(aPodWith(['data']), aPodWith(['other'])));
  const disk = { gcePersistentDisk: { pdName: 'a' } };
  t.true(helps(withVolume('a', disk), withVolume('b', disk)));
  t.false(helps(withVolume('a', disk), withVolume('b', { emptyDir: {} })));
});
