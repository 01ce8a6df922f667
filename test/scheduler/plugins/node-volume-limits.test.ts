import test from 'ava';
import type { CSINode, Pod, VolumeAttachment } from '../../../api/types.ts';
import { aCluster, aNode, aPod } from '../fixtures.ts';
import { aClaim, aClass, aCsiNode, aPodWith, aVolume } from '../storage-fixtures.ts';

const driver = 'driver.example';

const csiVolume = (name: string, csiDriver = driver) =>
  aVolume({ name, phase: 'Bound', csi: { driver: csiDriver, volumeHandle: `handle-${name}` } });

const bound = (name: string) => aClaim({ name, volumeName: `pv-${name}` });

const fits = ({
  present = [],
  attachments = [],
  csinodes = [aCsiNode({ limits: { [driver]: 2 } })],
  pod = aPodWith(['new']),
}: {
  present?: Pod[];
  attachments?: VolumeAttachment[];
  csinodes?: CSINode[];
  pod?: Pod;
}) => {
  const names = ['new', 'one', 'two', 'three'];
  const { message, names: feasible } = aCluster({
    nodes: [aNode()],
    pods: { 'node-1': present },
    objects: {
      persistentvolumeclaims: [...names.map(bound), aClaim({ name: 'late-1' }), aClaim({ name: 'late-2' })],
      persistentvolumes: names.map((name) => csiVolume(`pv-${name}`)),
      storageclasses: [aClass()],
      csinodes,
      volumeattachments: attachments,
    },
  }).filter(pod);
  return feasible.length > 0 ? true : message;
};

const tooMany = '0/1 nodes are available: 1 node(s) exceed max volume count.';

test('volumes of pods on the node count, each once', (t) => {
  t.true(fits({ present: [aPodWith(['one'])] }));
  t.is(fits({ present: [aPodWith(['one', 'two'])] }), tooMany);
  t.is(fits({ present: [aPodWith(['one']), aPodWith(['two'])] }), tooMany);
  t.true(fits({ present: [aPodWith(['one']), aPodWith(['one'])] }));
  t.true(fits({ present: [aPodWith(['new', 'one'])] }));
  t.is(fits({ pod: aPodWith(['new', 'one', 'two']) }), tooMany);
});

test('no limit: no CSINode, no count, another driver', (t) => {
  const present = [aPodWith(['one', 'two'])];
  t.true(fits({ present, csinodes: [] }));
  t.true(fits({ present, csinodes: [aCsiNode({ limits: { other: 1 } })] }));
});

test('a node that takes none', (t) => {
  t.is(fits({ csinodes: [aCsiNode({ limits: { [driver]: 0 } })] }), tooMany);
  t.true(fits({ csinodes: [aCsiNode({ limits: { [driver]: 0 } })], pod: aPod() }));
});

test('volumes that are still to be made count for their driver', (t) => {
  t.is(fits({ present: [aPodWith(['one', 'two'])], pod: aPodWith(['late-1']) }), tooMany);
  t.is(fits({ present: [aPodWith(['one', 'late-1'])], pod: aPodWith(['late-2']) }), tooMany);
  t.true(fits({ present: [aPodWith(['one', 'late-1'])], pod: aPodWith(['late-1'], { name: 'other' }) }));
});

test('a volume that is attached still counts, though its pod is gone', (t) => {
  const attachment = (name: string): VolumeAttachment => ({
    metadata: { name: `csi-${name}` },
    spec: { attacher: driver, nodeName: 'node-1', source: { persistentVolumeName: `pv-${name}` } },
  });
  t.is(fits({ attachments: [attachment('one'), attachment('two')] }), tooMany);
  t.true(fits({ present: [aPodWith(['one'])], attachments: [attachment('one')] }));
  t.true(fits({ attachments: [attachment('one'), attachment('new')] }));
});

test('in-tree volumes count for the driver that has taken their place', (t) => {
  const inline = (name: string, pdName: string) =>
    aPod({ name, volumes: [{ name: 'disk', gcePersistentDisk: { pdName } }] });
  const limits = { 'pd.csi.storage.gke.io': 1 };
  const migrated = [aCsiNode({ limits, migrated: 'kubernetes.io/gce-pd' })];
  const present = [inline('first', 'a')];
  t.is(fits({ present, csinodes: migrated, pod: inline('second', 'b') }), tooMany);
  t.true(fits({ present, csinodes: [aCsiNode({ limits })], pod: inline('second', 'b') }));
});

test('hints: a higher limit, a pod with volumes that goes, an attachment that ends', (t) => {
  const hints = aCluster({ nodes: [] }).plugins.find(({ name }) => name === 'NodeVolumeLimits')?.hints ?? [];
  const helps = (
    resource: string,
    action: 'Update' | 'Delete',
    event: { previous: object; object?: object },
  ) =>
    hints.some(
      (hint) =>
        hint.resource === resource &&
        hint.actions.includes(action) &&
        (hint.mayHelp?.(aPodWith(['new']), { resource, action, ...event }) ?? true),
    );
  const limit = (count: number) => aCsiNode({ limits: { [driver]: count } });
  t.true(helps('CSINode', 'Update', { previous: limit(1), object: limit(2) }));
  t.false(helps('CSINode', 'Update', { previous: limit(2), object: limit(1) }));
  t.true(helps('AssignedPod', 'Delete', { previous: aPodWith(['one']) }));
  t.false(helps('AssignedPod', 'Delete', { previous: aPod() }));
  const spec = { attacher: driver, nodeName: 'node-1', source: {} };
  t.true(helps('VolumeAttachment', 'Delete', { previous: { spec } as object }));
});
