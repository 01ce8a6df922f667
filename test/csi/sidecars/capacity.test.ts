import test from 'ava';
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  persistentVolumes,
  storageClasses,
} from '../../../client/resources.ts';
import { until } from '../../environment.ts';
import { createClaim, createClass, createNode, driverName, startRig } from '../sidecars-rig.ts';
import type { Rig } from '../sidecars-rig.ts';

const createDriver = ({ client }: Rig, storageCapacity: boolean) =>
  client.resource(csiDrivers).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSIDriver',
      metadata: { name: driverName },
      spec: { storageCapacity },
    },
  });

/** `CLASS PLACE CAPACITY` of each object, sorted. */
const known = async ({ client }: Rig): Promise<string[]> => {
  const { items } = await client.resource(csiStorageCapacities).list({ namespace: 'kube-system' });
  return items
    .map(({ storageClassName, nodeTopology, capacity }) =>
      [storageClassName, nodeTopology?.matchLabels?.['zone'] ?? '-', capacity].join(' '),
    )
    .toSorted((a, b) => (a < b ? -1 : 1));
};

const become = (rig: Rig, expected: string[]) =>
  until(`capacities are ${expected.join()}`, async () => (await known(rig)).join() === expected.join());

test('there is an object for each class and place, with what the driver says', async (t) => {
  const free: Record<string, number> = { a: 2 ** 30, b: 2 ** 31 };
  const rig = await startRig(t, {
    plugin: ['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'],
    capacity: ({ zone = '' }, { kind }) => (kind === 'slow' ? 1024 : (free[zone] ?? 0)),
  });
  await createDriver(rig, true);
  await createClass(rig, { volumeBindingMode: 'WaitForFirstConsumer' });
  await createClass(rig, { name: 'at-once', volumeBindingMode: 'Immediate' });
  await createNode(rig, 'node-a', { zone: 'a' });
  await createNode(rig, 'node-a2', { zone: 'a' });
  await createNode(rig, 'node-b', { zone: 'b' });
  await become(rig, ['fast a 1Gi', 'fast b 2Gi']);
  const { items } = await rig.client.resource(csiStorageCapacities).list({ namespace: 'kube-system' });
  t.deepEqual(items[0]?.metadata?.labels, {
    'csi.storage.k8s.io/drivername': driverName,
    'csi.storage.k8s.io/managed-by': 'external-provisioner',
  });

  await createClass(rig, {
    name: 'slow',
    volumeBindingMode: 'WaitForFirstConsumer',
    parameters: { kind: 'slow' },
  });
  await become(rig, ['fast a 1Gi', 'fast b 2Gi', 'slow a 1Ki', 'slow b 1Ki']);
  await rig.client.resource(storageClasses).delete({ name: 'slow' });
  await rig.client.resource(csiNodes).delete({ name: 'node-b' });
  await become(rig, ['fast a 1Gi']);

  // A new volume takes space.
  free['a'] = 0;
  const claim = await createClaim(rig, 'data', { storageClassName: 'at-once' });
  await rig.seen(persistentVolumes, `pvc-${claim.metadata?.uid}`, () => true);
  await become(rig, ['fast a 0']);

  const [object] = (await rig.client.resource(csiStorageCapacities).list({ namespace: 'kube-system' })).items;
  const { name = '', namespace } = object?.metadata ?? {};
  await rig.client.resource(csiStorageCapacities).delete({ name, namespace });
  await become(rig, ['fast a 0']);
  t.pass();
});

test('a driver without topology has one object a class; one that does not track space has none', async (t) => {
  const rig = await startRig(t, { capacity: () => 4096 });
  await createDriver(rig, false);
  await createClass(rig, { volumeBindingMode: 'WaitForFirstConsumer' });
  await createNode(rig, 'node-a', { zone: 'a' });
  t.deepEqual(await known(rig), []);
  await rig.client
    .resource(csiDrivers)
    .patch({ name: driverName, type: 'merge', patch: { spec: { storageCapacity: true } } });
  await become(rig, ['fast - 4Ki']);
  await rig.client
    .resource(csiDrivers)
    .patch({ name: driverName, type: 'merge', patch: { spec: { storageCapacity: false } } });
  await become(rig, []);
});
