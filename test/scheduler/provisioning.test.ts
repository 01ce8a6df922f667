import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { Client } from '../../client/rest.ts';
import {
  csiNodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
} from '../../client/resources.ts';
import { persistentVolumeController } from '../../controllers/persistent-volume/persistent-volume.ts';
import { serveDriver } from '../../csi/serve.ts';
import { startSidecars } from '../../csi/start-sidecars.ts';
import {
  migratedPlugins,
  migratedPluginsAnnotation,
  migratedPluginsValue,
} from '../../csi/translation/index.ts';
import type { CreateVolumeRequest } from '../../csi/types.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { createDefaultAccount, startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { runTestControllers } from '../controllers/controller-rig.ts';
import { createPod, nodeOf } from './pods.ts';
import { createReadyNode } from './ready-node.ts';
import { aNode } from './fixtures.ts';
import { aClaim, aClass, aPodWith, aVolume, withoutUid, zoneLabel } from './storage-fixtures.ts';

/** The scheduler together with the real binder and the real provisioner; only the driver makes nothing. */
interface Context {
  client: Client;
  /** What the driver was asked for. */
  requests: CreateVolumeRequest[];
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;
const driver = 'driver.example';
const gceDriver = 'pd.csi.storage.gke.io';
const drivers = [driver, gceDriver];

test.beforeEach(async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ff-driver-'));
  const socketOf = (name: string) => join(dir, `${name}.sock`);
  const requests: CreateVolumeRequest[] = [];
  const served = await Promise.all(
    drivers.map((name) => serveNothingMaker({ name, socketPath: socketOf(name), requests })),
  );
  const server = await startTestApiServer();
  const client = await server.admin();
  await createDefaultAccount(client);
  for (const zone of ['a', 'b']) await createNodeWithDriver(client, zone);
  const controllers = runTestControllers(client, [persistentVolumeController()]);
  const sidecars = await startSidecars({
    client,
    log: testLog,
    snapshots: false,
    drivers: drivers.map((name) => ({ name, socketPath: socketOf(name) })),
  });
  const scheduler = await startScheduler({
    client: await server.clientAs('system:kube-scheduler'),
    log: testLog,
  });
  t.context = {
    client,
    requests,
    async stop() {
      await scheduler.stop();
      await sidecars.stop();
      await controllers.stop();
      await server.stop();
      await Promise.all(served.map((each) => each.stop()));
      rmSync(dir, { recursive: true });
    },
  };
});
test.afterEach.always((t) => t.context.stop());

const serveNothingMaker = ({
  name,
  socketPath,
  requests,
}: {
  name: string;
  socketPath: string;
  requests: CreateVolumeRequest[];
}) =>
  serveDriver({
    socketPath,
    identity: {
      getPluginInfo: () => ({ name, vendorVersion: '1', manifest: {} }),
      getPluginCapabilities: () => ({
        capabilities: (['CONTROLLER_SERVICE', 'VOLUME_ACCESSIBILITY_CONSTRAINTS'] as const).map((type) => ({
          service: { type },
        })),
      }),
      probe: () => ({ ready: { value: true } }),
    },
    controller: {
      controllerGetCapabilities: () => ({ capabilities: [{ rpc: { type: 'CREATE_DELETE_VOLUME' } }] }),
      createVolume: (request) => {
        requests.push(request);
        return {
          volume: {
            volumeId: `disk-${requests.length}`,
            capacityBytes: request.capacityRange?.requiredBytes ?? 0,
            volumeContext: {},
            contentSource: null,
            accessibleTopology: request.accessibilityRequirements?.preferred.slice(0, 1) ?? [],
          },
        };
      },
      deleteVolume: () => ({}),
    },
  });

const createNodeWithDriver = async (client: Client, zone: string) => {
  const name = `node-${zone}`;
  await createReadyNode(client, aNode({ name, labels: { [zoneLabel]: zone } }));
  await client.resource(csiNodes).create({
    object: {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: {
        name,
        annotations: { [migratedPluginsAnnotation]: migratedPluginsValue(migratedPlugins) },
      },
      spec: { drivers: drivers.map((each) => ({ name: each, nodeID: name, topologyKeys: [zoneLabel] })) },
    },
  });
};

test.serial('a claim of a waiting class ends as a volume in the zone of its pod', async (t) => {
  const { client, requests } = t.context;
  await client.resource(storageClasses).create({ object: aClass({ provisioner: driver, zones: ['b'] }) });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  t.deepEqual(
    requests.map(({ accessibilityRequirements }) => accessibilityRequirements?.preferred),
    [[{ segments: { [zoneLabel]: 'b' } }]],
  );
  const claim = await client.resource(persistentVolumeClaims).get({ name: 'data', namespace: 'default' });
  t.is(claim.status?.phase, 'Bound');
  const volume = await client.resource(persistentVolumes).get({ name: claim.spec?.volumeName ?? '' });
  t.deepEqual(volume.spec?.nodeAffinity?.required?.nodeSelectorTerms, [
    { matchExpressions: [{ key: zoneLabel, operator: 'In', values: ['b'] }] },
  ]);
});

test.serial('a local volume is bound late, where its disk is', async (t) => {
  const { client, requests } = t.context;
  const object = aClass({ provisioner: 'kubernetes.io/no-provisioner' });
  await client.resource(storageClasses).create({ object });
  const local = withoutUid(aVolume({ zone: 'b', local: { path: '/mnt/disk' } }));
  await client.resource(persistentVolumes).create({ object: local });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  t.is((await client.resource(persistentVolumes).get({ name: 'pv' })).spec?.claimRef?.name, 'data');
  t.deepEqual(requests, []);
});

test.serial('a pod with an immediate claim is placed where the volume was made', async (t) => {
  const { client } = t.context;
  await client
    .resource(storageClasses)
    .create({ object: aClass({ provisioner: driver, zones: ['a'], volumeBindingMode: 'Immediate' }) });
  await createPod(client, aPodWith(['data']));
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-a');
  t.pass();
});

test.serial('a class of an in-tree plugin is served by the driver that has taken its place', async (t) => {
  const { client, requests } = t.context;
  const object = aClass({ provisioner: 'kubernetes.io/gce-pd', zones: ['b'] });
  await client.resource(storageClasses).create({ object: { ...object, parameters: { fstype: 'ext4' } } });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  t.deepEqual(
    requests.map(({ accessibilityRequirements }) => accessibilityRequirements?.preferred),
    [[{ segments: { [zoneLabel]: 'b' } }]],
  );
  const claim = await client.resource(persistentVolumeClaims).get({ name: 'data', namespace: 'default' });
  t.is(claim.metadata?.annotations?.['volume.kubernetes.io/storage-provisioner'], gceDriver);
  const volume = await client.resource(persistentVolumes).get({ name: claim.spec?.volumeName ?? '' });
  t.like(volume.spec?.gcePersistentDisk, { pdName: 'disk-1', fsType: 'ext4' });
  t.is(volume.metadata?.labels?.[zoneLabel], 'b');
  // A second pod finds it by the labels and by the node affinity of the translated volume.
  await createPod(client, aPodWith(['data'], { name: 'second' }));
  await until('the second has a node', async () => (await nodeOf(client, 'second')) === 'node-b');
});

test.serial('an in-tree volume with a zone label alone is used in that zone', async (t) => {
  const { client } = t.context;
  await client
    .resource(storageClasses)
    .create({ object: aClass({ provisioner: 'kubernetes.io/no-provisioner' }) });
  const disk = aVolume({
    labels: { 'failure-domain.beta.kubernetes.io/zone': 'b' },
    awsElasticBlockStore: { volumeID: 'aws://b/vol-1' },
  });
  await client.resource(persistentVolumes).create({ object: withoutUid(disk) });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  t.pass();
});

test.serial('local volumes go to as many pods as there are, each near to its own', async (t) => {
  const { client } = t.context;
  const object = aClass({ provisioner: 'kubernetes.io/no-provisioner' });
  await client.resource(storageClasses).create({ object });
  const numbers = Array.from({ length: 10 }, (_, index) => index);
  for (const number of numbers) {
    const zone = number % 3 === 0 ? 'a' : 'b';
    const local = aVolume({ name: `pv-${number}`, zone, local: { path: `/mnt/${number}` } });
    await client.resource(persistentVolumes).create({ object: withoutUid(local) });
  }
  const names = Array.from({ length: 12 }, (_, index) => `pod-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim({ name })) });
      await createPod(client, aPodWith([name], { name }));
    }),
  );
  const placed = async () => {
    const { items } = await client.resource(pods).list({ namespace: 'default' });
    return items.filter(({ spec }) => (spec?.nodeName ?? '') !== '');
  };
  await until('ten have a node', async () => (await placed()).length === 10);
  const { items: claims } = await client.resource(persistentVolumeClaims).list({ namespace: 'default' });
  const volumeOf = new Map(claims.map(({ metadata, spec }) => [metadata?.name, spec?.volumeName]));
  const used = (await placed()).map(({ metadata, spec }) => ({
    volume: volumeOf.get(metadata?.name) ?? '',
    node: spec?.nodeName,
  }));
  t.is(new Set(used.map(({ volume }) => volume)).size, 10);
  for (const { volume, node } of used) {
    t.is(node, Number(volume.slice('pv-'.length)) % 3 === 0 ? 'node-a' : 'node-b');
  }
});

test.serial('fifty claims with their pods', async (t) => {
  const { client, requests } = t.context;
  await client.resource(storageClasses).create({ object: aClass({ provisioner: driver }) });
  const names = Array.from({ length: 50 }, (_, index) => `pod-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim({ name })) });
      await createPod(client, aPodWith([name], { name }));
    }),
  );
  await until('all have a node', async () => {
    const list = await client.resource(pods).list({ namespace: 'default' });
    return list.items.every(({ spec }) => (spec?.nodeName ?? '') !== '');
  });
  t.is(requests.length, 50);
});
