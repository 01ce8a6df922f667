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
  serviceAccounts,
  storageClasses,
} from '../../client/resources.ts';
import { persistentVolumeController } from '../../controllers/persistent-volume/persistent-volume.ts';
import { serveDriver } from '../../csi/serve.ts';
import { startSidecars } from '../../csi/start-sidecars.ts';
import type { CreateVolumeRequest } from '../../csi/types.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../client/deadline.ts';
import { runTestControllers } from '../controllers/controller-rig.ts';
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

test.beforeEach(async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'ff-driver-'));
  const socketPath = join(dir, 'csi.sock');
  const requests: CreateVolumeRequest[] = [];
  const served = await serveNothingMaker(socketPath, requests);
  const server = await startTestApiServer();
  const client = await server.admin();
  const metadata = { name: 'default', namespace: 'default' };
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata };
  await client.resource(serviceAccounts).create({ object: account });
  for (const zone of ['a', 'b']) await createNodeWithDriver(client, zone);
  const controllers = runTestControllers(client, [persistentVolumeController()]);
  const sidecars = await startSidecars({
    client,
    log: testLog,
    snapshots: false,
    drivers: [{ name: driver, socketPath }],
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
      await served.stop();
      rmSync(dir, { recursive: true });
    },
  };
});
test.afterEach.always((t) => t.context.stop());

const serveNothingMaker = (socketPath: string, requests: CreateVolumeRequest[]) =>
  serveDriver({
    socketPath,
    identity: {
      getPluginInfo: () => ({ name: driver, vendorVersion: '1', manifest: {} }),
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
      metadata: { name },
      spec: { drivers: [{ name: driver, nodeID: name, topologyKeys: [zoneLabel] }] },
    },
  });
};

const nodeOf = async (client: Client, name: string) =>
  (await client.resource(pods).get({ name, namespace: 'default' })).spec?.nodeName;

test('a claim of a waiting class ends as a volume in the zone of its pod', async (t) => {
  const { client, requests } = t.context;
  await client.resource(storageClasses).create({ object: aClass({ provisioner: driver, zones: ['b'] }) });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await client.resource(pods).create({ object: withoutUid(aPodWith(['data'])) });
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

test('a local volume is bound late, where its disk is', async (t) => {
  const { client, requests } = t.context;
  const object = aClass({ provisioner: 'kubernetes.io/no-provisioner' });
  await client.resource(storageClasses).create({ object });
  const local = withoutUid(aVolume({ zone: 'b', local: { path: '/mnt/disk' } }));
  await client.resource(persistentVolumes).create({ object: local });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await client.resource(pods).create({ object: withoutUid(aPodWith(['data'])) });
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  t.is((await client.resource(persistentVolumes).get({ name: 'pv' })).spec?.claimRef?.name, 'data');
  t.deepEqual(requests, []);
});

test('a pod with an immediate claim is placed where the volume was made', async (t) => {
  const { client } = t.context;
  await client
    .resource(storageClasses)
    .create({ object: aClass({ provisioner: driver, zones: ['a'], volumeBindingMode: 'Immediate' }) });
  await client.resource(pods).create({ object: withoutUid(aPodWith(['data'])) });
  await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim()) });
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-a');
  t.pass();
});

test('fifty claims with their pods', async (t) => {
  const { client, requests } = t.context;
  await client.resource(storageClasses).create({ object: aClass({ provisioner: driver }) });
  const names = Array.from({ length: 50 }, (_, index) => `pod-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await client.resource(persistentVolumeClaims).create({ object: withoutUid(aClaim({ name })) });
      await client.resource(pods).create({ object: withoutUid(aPodWith([name], { name })) });
    }),
  );
  await until('all have a node', async () => {
    const list = await client.resource(pods).list({ namespace: 'default' });
    return list.items.every(({ spec }) => (spec?.nodeName ?? '') !== '');
  });
  t.is(requests.length, 50);
});
