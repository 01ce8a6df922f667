import test from 'ava';
import { aCluster, aNode } from '../fixtures.ts';
import { aClaim, aClass, aPodWith, aVolume, zoneLabel } from '../storage-fixtures.ts';

const oldZone = 'failure-domain.beta.kubernetes.io/zone';
const oldRegion = 'failure-domain.beta.kubernetes.io/region';

const filter = (volumeLabels: Record<string, string>, nodeLabels: Record<string, string>) =>
  aCluster({
    nodes: [aNode({ labels: nodeLabels })],
    objects: {
      persistentvolumeclaims: [aClaim({ volumeName: 'pv' })],
      persistentvolumes: [aVolume({ labels: volumeLabels, phase: 'Bound' })],
    },
  }).filter(aPodWith(['data']));

test('the labels of a volume must be those of the node', (t) => {
  t.is(filter({ [zoneLabel]: 'a' }, { [zoneLabel]: 'a' }).names.length, 1);
  t.is(
    filter({ [zoneLabel]: 'a' }, { [zoneLabel]: 'b' }).message,
    '0/1 nodes are available: 1 node(s) had no available volume zone.',
  );
  t.is(filter({ [zoneLabel]: 'a__b' }, { [zoneLabel]: 'b' }).names.length, 1);
  t.is(filter({ [zoneLabel]: 'a__b' }, { [zoneLabel]: 'c' }).names.length, 0);
});

test('old labels of a volume mean new ones of a node', (t) => {
  t.is(
    filter({ [oldZone]: 'a', [oldRegion]: 'r' }, { [zoneLabel]: 'a', 'topology.kubernetes.io/region': 'r' })
      .names.length,
    1,
  );
  t.is(filter({ [oldZone]: 'a' }, { [zoneLabel]: 'b' }).names.length, 0);
  t.is(filter({ [oldZone]: 'a' }, { [oldZone]: 'a' }).names.length, 1);
});

test('nodes without any zone take all, and a label that names none is passed over', (t) => {
  t.is(filter({ [zoneLabel]: 'a' }, {}).names.length, 1);
  t.is(filter({ [zoneLabel]: 'a' }, { [oldRegion]: 'r' }).names.length, 0);
  t.is(filter({ [zoneLabel]: '' }, { [zoneLabel]: 'a' }).names.length, 1);
});

test('a claim that waits for a node has no zone; one that is bound to nothing is told of', (t) => {
  const cluster = (claim: ReturnType<typeof aClaim>) =>
    aCluster({
      nodes: [aNode()],
      objects: { persistentvolumeclaims: [claim], storageclasses: [aClass()] },
    }).filter(aPodWith(['data']));
  t.is(cluster(aClaim()).names.length, 1);
  t.is(
    cluster(aClaim({ volumeName: 'gone' })).message,
    '0/1 nodes are available: persistentvolume "gone" not found.',
  );
});
