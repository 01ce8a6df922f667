import test from 'ava';
import type { PersistentVolumeClaim } from '../../../../api/types.ts';
import {
  events,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
} from '../../../../client/resources.ts';
import type { NodeExpandVolumeRequest } from '../../../../csi/types.ts';
import { until } from '../../../environment.ts';
import { startStorageBench } from './storage-bench.ts';
import type { StorageBench } from './storage-bench.ts';

const expanding = {
  driver: { capabilities: ['STAGE_UNSTAGE_VOLUME' as const, 'EXPAND_VOLUME' as const] },
  driverSpec: { attachRequired: false },
};

const claimOf = ({ client }: StorageBench, name: string): Promise<PersistentVolumeClaim> =>
  client.resource(persistentVolumeClaims).get({ name, namespace: 'default' });

/** As the resizer does when the driver has made the volume larger and says that the node has to do something too. */
const grow = async ({ client }: StorageBench, name: string, size = '2Gi'): Promise<void> => {
  await client
    .resource(persistentVolumes)
    .patch({ name, type: 'merge', patch: { spec: { capacity: { storage: size } } } });
  await client.resource(persistentVolumeClaims).patch({
    name,
    namespace: 'default',
    type: 'merge',
    subresource: 'status',
    patch: {
      status: {
        allocatedResources: { storage: size },
        allocatedResourceStatuses: { storage: 'NodeResizePending' },
        conditions: [{ type: 'FileSystemResizePending', status: 'True' }],
      },
    },
  });
};

const grown = (bench: StorageBench, name: string, size = '2Gi') =>
  until(`${name} has ${size}`, async () => {
    const { status } = await claimOf(bench, name);
    return status?.capacity?.['storage'] === size ? status : undefined;
  });

test('a volume in use grows at once, and its claim says so', async (t) => {
  const bench = await startStorageBench(t, expanding);
  const { driver, rootDir } = bench;
  await bench.makeVolume('data');
  const pod = await bench.makePod('one', ['data']);
  await bench.running('one');
  await grow(bench, 'data');
  const status = await grown(bench, 'data');
  t.deepEqual(driver.rpcs(), ['stage', 'publish', 'expand']);
  t.like(driver.requestOf<NodeExpandVolumeRequest>('expand'), {
    volumeId: 'handle-data',
    volumePath: `${rootDir}/pods/${pod.metadata?.uid}/volumes/kubernetes.io~csi/data/mount`,
    capacityRange: { requiredBytes: 2 * 2 ** 30 },
  });
  t.is(status.allocatedResourceStatuses, undefined);
  t.deepEqual(status.allocatedResources, { storage: '2Gi' });
  t.deepEqual(status.conditions ?? [], []);
  const words = 'MountVolume.NodeExpandVolume succeeded for volume "data" node-1';
  const told = (event: { reason?: string; message?: string }) =>
    event.reason === 'FileSystemResizeSuccessful' && event.message === words;
  await bench.eventUntil('one', told);
  await until('event of the claim', async () => {
    const { items } = await bench.client.resource(events).list({ namespace: 'default' });
    return items.some((event) => event.involvedObject.kind === 'PersistentVolumeClaim' && told(event));
  });
});

test('one that is not in use grows when it is mounted, before the Pod starts', async (t) => {
  const bench = await startStorageBench(t, expanding);
  await bench.makeVolume('data');
  await grow(bench, 'data');
  await bench.makePod('one', ['data']);
  await bench.running('one');
  t.deepEqual(bench.driver.rpcs(), ['stage', 'publish', 'expand']);
  t.is((await claimOf(bench, 'data')).status?.capacity?.['storage'], '2Gi');
});

test('what can’t be done is said on the claim and left; what fails is tried again', async (t) => {
  const bench = await startStorageBench(t, expanding);
  const { driver } = bench;
  await bench.makeVolume('data');
  await bench.makePod('one', ['data']);
  await bench.running('one');
  driver.fail('expand', { code: 'INTERNAL' }, { code: 'UNAVAILABLE' });
  await grow(bench, 'data');
  const event = await bench.eventUntil('one', ({ reason }) => reason === 'VolumeResizeFailed');
  t.is(
    event.message,
    'NodeExpandVolume.NodeExpandVolume failed for volume "data" : Expander.NodeExpand failed to expand the volume : rpc error: code = Internal desc = fake expand failure',
  );
  await grown(bench, 'data');
  t.is(driver.rpcs().filter((rpc) => rpc === 'expand').length, 3);

  driver.calls.length = 0;
  driver.fail('expand', { code: 'OUT_OF_RANGE' });
  await grow(bench, 'data', '3Gi');
  const { status } = await until('infeasible', async () => {
    const claim = await claimOf(bench, 'data');
    return claim.status?.allocatedResourceStatuses?.['storage'] === 'NodeResizeInfeasible'
      ? claim
      : undefined;
  });
  t.like(
    status?.conditions?.find(({ type }) => type === 'NodeResizeError'),
    {
      status: 'True',
      message:
        'failed to expand pvc with Expander.NodeExpand failed to expand the volume : rpc error: code = OutOfRange desc = fake expand failure',
    },
  );
  t.is(status?.capacity?.['storage'], '2Gi');
  // The resizer asks again.
  await grow(bench, 'data', '3Gi');
  await grown(bench, 'data', '3Gi');
});

test('a size that the node never gets is given up once the user asks for another', async (t) => {
  const bench = await startStorageBench(t, expanding);
  const { driver, client } = bench;
  await client.resource(storageClasses).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name: 'growing' },
      provisioner: driver.name,
      allowVolumeExpansion: true,
    },
  });
  await bench.makeVolume('data', { spec: { storageClassName: 'growing' } });
  await bench.makePod('one', ['data']);
  await bench.running('one');
  const ask = (storage: string) =>
    client.resource(persistentVolumeClaims).patch({
      name: 'data',
      namespace: 'default',
      type: 'merge',
      patch: { spec: { resources: { requests: { storage } } } },
    });
  await ask('3Gi');
  driver.fail('expand', ...Array.from({ length: 20 }, () => ({ code: 'PERMISSION_DENIED' as const })));
  await grow(bench, 'data', '3Gi');
  await until('failed', async () =>
    (await claimOf(bench, 'data')).status?.conditions?.some(({ type }) => type === 'NodeResizeError'),
  );
  const stateOf = async () => (await claimOf(bench, 'data')).status?.allocatedResourceStatuses?.['storage'];
  // While it is what the user wants, it is tried on.
  await until('tried again', () => driver.rpcs().filter((rpc) => rpc === 'expand').length > 1);
  t.is(await stateOf(), 'NodeResizeInProgress');
  await ask('2Gi');
  await until('infeasible', async () => (await stateOf()) === 'NodeResizeInfeasible');
});

test('a driver that can’t grow a volume in use doesn’t keep the Pod from starting; a read-only use is left alone', async (t) => {
  const bench = await startStorageBench(t, expanding);
  const { driver } = bench;
  await bench.makeVolume('data');
  await grow(bench, 'data');
  driver.fail('expand', { code: 'FAILED_PRECONDITION' });
  await bench.makePod('one', ['data']);
  await bench.running('one');
  t.is((await claimOf(bench, 'data')).status?.capacity?.['storage'], '1Gi');

  await bench.makeVolume('other');
  await grow(bench, 'other');
  await bench.makePod('reads', [], {
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'other', readOnly: true } }],
    containers: [{ name: 'main', image: 'busybox', volumeMounts: [{ name: 'v', mountPath: '/v' }] }],
  });
  await bench.running('reads');
  await bench.eventUntil(
    'reads',
    ({ reason, message }) =>
      reason === 'FileSystemResizeFailed' &&
      message === 'MountVolume.NodeExpandVolume failed for volume "other" requested read-only file system',
  );
});
