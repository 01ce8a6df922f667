import anyTest from 'ava';
import type { ExecutionContext, TestFn } from 'ava';
import type { PersistentVolume, PersistentVolumeClaim, Pod, StorageClass } from '../../api/types.ts';
import { createInformerFactory } from '../../client/informer-factory.ts';
import type { Client } from '../../client/rest.ts';
import {
  csiNodes,
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
} from '../../client/resources.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { createDefaultAccount, startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { startFakeStorage } from './fake-storage.ts';
import { aNode, aPod } from './fixtures.ts';
import { createPod, nodeOf } from './pods.ts';
import { createReadyNode } from './ready-node.ts';
import { aClaim, aClass, aCsiNode, aPodWith, aVolume, withoutUid, zoneLabel } from './storage-fixtures.ts';

interface Context {
  client: Client;
  /** Ends the scheduler and starts another one. */
  restartScheduler: () => Promise<void>;
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;

test.beforeEach(async (t) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  await createDefaultAccount(client);
  for (const zone of ['a', 'b'])
    await createReadyNode(client, aNode({ name: `node-${zone}`, labels: { [zoneLabel]: zone } }));
  const start = async () =>
    startScheduler({ client: await server.clientAs('system:kube-scheduler'), log: testLog });
  let scheduler = await start();
  t.context = {
    client,
    async restartScheduler() {
      await scheduler.stop();
      scheduler = await start();
    },
    async stop() {
      await scheduler.stop();
      await server.stop();
    },
  };
});
test.afterEach.always((t) => t.context.stop());

const createClaim = (client: Client, claim: PersistentVolumeClaim) =>
  client.resource(persistentVolumeClaims).create({ object: withoutUid(claim) });
const createClass = (client: Client, object: StorageClass) =>
  client.resource(storageClasses).create({ object });
const createVolume = async (client: Client, volume: PersistentVolume) => {
  const object = withoutUid(volume);
  const created = await client.resource(persistentVolumes).create({ object });
  await client
    .resource(persistentVolumes)
    .updateStatus({ object: { ...created, status: { phase: 'Available' } } });
};
const localVolume = (options: Parameters<typeof aVolume>[0]) =>
  aVolume({ ...options, local: { path: '/mnt/disk' } });
/** Resolves when a pod was refused with exactly these words; a watch that lags may have led to others before. */
const refused = async (t: ExecutionContext<Context>, words: string): Promise<void> => {
  await until(`an event says ${words}`, async () =>
    (await t.context.client.resource(events).list({ namespace: 'default' })).items.some(
      ({ reason, message }) => reason === 'FailedScheduling' && message === words,
    ),
  );
  t.pass();
};

test.serial('a claim is provisioned in the zone of the node that was chosen', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createClass(client, aClass({ zones: ['b'] }));
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  const claim = await client.resource(persistentVolumeClaims).get({ name: 'data', namespace: 'default' });
  t.is(claim.metadata?.annotations?.['volume.kubernetes.io/selected-node'], 'node-b');
  await storage.stop();
});

test.serial('a class without a node to go to, then one that fits: the whole story', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createReadyNode(
    client,
    aNode({
      name: 'node-0',
      labels: { [zoneLabel]: 'a' },
      spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] },
    }),
  );
  await createClass(client, aClass({ zones: ['d'] }));
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data']));
  await refused(
    t,
    "0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't find available persistent " +
      'volumes to bind. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.',
  );
  t.deepEqual(storage.asked, []);
  await client.resource(storageClasses).delete({ name: 'late' });
  await createClass(client, aClass({ zones: ['b'] }));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  await storage.stop();
});

test.serial('a free volume is bound, and its node follows', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createClass(client, aClass({ provisioner: 'kubernetes.io/no-provisioner' }));
  await createVolume(client, localVolume({ zone: 'b' }));
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  const volume = await client.resource(persistentVolumes).get({ name: 'pv' });
  t.like(volume.spec?.claimRef, { name: 'data', namespace: 'default', kind: 'PersistentVolumeClaim' });
  t.is(volume.metadata?.annotations?.['pv.kubernetes.io/bound-by-controller'], 'yes');
  await storage.stop();
});

test.serial('one of two pods gets the only volume, the other one waits for another', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createClass(client, aClass({ provisioner: 'kubernetes.io/no-provisioner' }));
  await createVolume(client, localVolume({ zone: 'a' }));
  await createClaim(client, aClaim({ name: 'one' }));
  await createClaim(client, aClaim({ name: 'two' }));
  await createPod(client, aPodWith(['one'], { name: 'one' }));
  await createPod(client, aPodWith(['two'], { name: 'two' }));
  const placed = async () => Promise.all(['one', 'two'].map((name) => nodeOf(client, name)));
  await until('one has a node', async () => (await placed()).includes('node-a'));
  await refused(
    t,
    "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind. preemption: " +
      '0/2 nodes are available: 2 Preemption is not helpful for scheduling.',
  );
  t.true((await placed()).includes(undefined));
  await createVolume(client, localVolume({ name: 'second', zone: 'b' }));
  await until('both have a node', async () => !(await placed()).includes(undefined));
  t.deepEqual(new Set(await placed()), new Set(['node-a', 'node-b']));
  await storage.stop();
});

test.serial('others are placed while one waits for its volume', async (t) => {
  const { client } = t.context;
  const gate = Promise.withResolvers<void>();
  const storage = await startFakeStorage(client, {
    provision: async () => {
      await gate.promise;
      return true;
    },
  });
  await createClass(client, aClass());
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data'], { name: 'slow' }));
  await until('the provisioner is asked', () => storage.asked.length === 1);
  await createPod(client, aPod({ name: 'quick' }));
  await until('quick has a node', async () => (await nodeOf(client, 'quick')) !== undefined);
  t.is(await nodeOf(client, 'slow'), undefined);
  gate.resolve();
  await until('slow has a node', async () => (await nodeOf(client, 'slow')) !== undefined);
  await storage.stop();
});

test.serial('a pod that waits for its volume is nominated, until that fails', async (t) => {
  const { client } = t.context;
  let tries = 0;
  const storage = await startFakeStorage(client, { provision: async () => (tries += 1) > 1 });
  const informers = createInformerFactory({ client });
  const nominations: string[] = [];
  const note = ({ status, spec }: Pod) => {
    const node = status?.nominatedNodeName ?? '';
    if (spec?.nodeName === undefined && nominations.at(-1) !== node) nominations.push(node);
  };
  informers.informer(pods).addHandler({ add: note, update: note });
  informers.start();
  await informers.waitForSync();
  await createClass(client, aClass({ zones: ['b'] }));
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) === 'node-b');
  t.deepEqual(nominations, ['', 'node-b', '', 'node-b']);
  await informers.stop();
  await storage.stop();
});

test.serial('a scheduler that comes back goes on with the node that was chosen', async (t) => {
  const { client, restartScheduler } = t.context;
  const gate = Promise.withResolvers<void>();
  const storage = await startFakeStorage(client, {
    provision: async () => {
      await gate.promise;
      return true;
    },
  });
  await createClass(client, aClass());
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data']));
  await until('the provisioner is asked', () => storage.asked.length === 1);
  const claim = await client.resource(persistentVolumeClaims).get({ name: 'data', namespace: 'default' });
  const chosen = claim.metadata?.annotations?.['volume.kubernetes.io/selected-node'];
  await restartScheduler();
  gate.resolve();
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) !== undefined);
  t.is(await nodeOf(client, 'web'), chosen);
  t.is(storage.asked.length, 1);
  await storage.stop();
});

test.serial('a provisioner that gives up gets another try', async (t) => {
  const { client } = t.context;
  let tries = 0;
  const storage = await startFakeStorage(client, { provision: async () => (tries += 1) > 1 });
  await createClass(client, aClass());
  await createClaim(client, aClaim());
  await createPod(client, aPodWith(['data']));
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) !== undefined);
  await refused(
    t,
    'running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"',
  );
  await storage.stop();
});

test.serial('a pod that is deleted while its volume is made is forgotten', async (t) => {
  const { client } = t.context;
  const gate = Promise.withResolvers<void>();
  const storage = await startFakeStorage(client, {
    provision: async () => {
      await gate.promise;
      return false;
    },
  });
  await createClass(client, aClass());
  await createClaim(client, aClaim());
  const { volumes = [] } = aPodWith(['data']).spec ?? {};
  const whole = { requests: { cpu: '2' }, nodeSelector: { [zoneLabel]: 'a' } };
  await createPod(client, aPod({ volumes, ...whole }));
  await until('the provisioner is asked', () => storage.asked.length === 1);
  await client.resource(pods).delete({ name: 'web', namespace: 'default', gracePeriodSeconds: 0 });
  // Its place is free again.
  await createPod(client, aPod({ name: 'next', ...whole }));
  await until('next has a node', async () => (await nodeOf(client, 'next')) === 'node-a');
  t.pass();
  gate.resolve();
  await storage.stop();
});

test.serial('a claim that comes after its pod', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createClass(client, aClass());
  await createPod(client, aPodWith(['data']));
  await refused(
    t,
    '0/2 nodes are available: persistentvolumeclaim "data" not found. preemption: 0/2 nodes are available: ' +
      '2 Preemption is not helpful for scheduling.',
  );
  await createClaim(client, aClaim());
  await until('the pod has a node', async () => (await nodeOf(client, 'web')) !== undefined);
  await storage.stop();
});

test.serial('a full node, and room when a pod goes', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  for (const name of ['node-a', 'node-b']) {
    await client.resource(csiNodes).create({ object: aCsiNode({ name, limits: { 'driver.example': 1 } }) });
  }
  await createClass(client, aClass());
  const names = ['one', 'two', 'three'];
  for (const name of names) await createClaim(client, aClaim({ name }));
  for (const name of names) await createPod(client, aPodWith([name], { name }));
  const placed = () => Promise.all(names.map(async (name) => ({ name, node: await nodeOf(client, name) })));
  const withNode = async () => (await placed()).filter(({ node }) => node !== undefined);
  await until('two have a node', async () => (await withNode()).length === 2);
  await refused(
    t,
    '0/2 nodes are available: 2 node(s) exceed max volume count. preemption: 0/2 nodes are available: ' +
      '2 No preemption victims found for incoming pod.',
  );
  const first = (await withNode())[0]?.name ?? '';
  await client.resource(pods).delete({ name: first, namespace: 'default', gracePeriodSeconds: 0 });
  const others = names.filter((name) => name !== first);
  await until('the others have a node', async () => {
    const found = await Promise.all(others.map((name) => nodeOf(client, name)));
    return !found.includes(undefined);
  });
  await storage.stop();
});

test.serial('a claim for one pod alone goes to the more important pod', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createClass(client, aClass());
  await createClaim(client, aClaim({ accessModes: ['ReadWriteOncePod'] }));
  await createPod(client, aPodWith(['data'], { name: 'first' }));
  await until('first has a node', async () => (await nodeOf(client, 'first')) !== undefined);
  await createPod(client, aPodWith(['data'], { name: 'second' }));
  await refused(
    t,
    '0/2 nodes are available: 2 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode ' +
      'already in-use by another pod. preemption: 0/2 nodes are available: ' +
      '2 No preemption victims found for incoming pod.',
  );
  await client.resource(pods).delete({ name: 'first', namespace: 'default', gracePeriodSeconds: 0 });
  await until('second has a node', async () => (await nodeOf(client, 'second')) !== undefined);
  await storage.stop();
});

test.serial('fifty claims at once', async (t) => {
  const { client } = t.context;
  const storage = await startFakeStorage(client);
  await createClass(client, aClass());
  const names = Array.from({ length: 50 }, (_, index) => `pod-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await createClaim(client, aClaim({ name }));
      await createPod(client, aPodWith([name], { name }));
    }),
  );
  await until('all have a node', async () => {
    const list = await client.resource(pods).list({ namespace: 'default' });
    return list.items.every(({ spec }) => (spec?.nodeName ?? '') !== '');
  });
  t.is(new Set(storage.asked).size, 50);
  await storage.stop();
});
