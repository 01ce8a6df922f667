import { setTimeout as delay } from 'node:timers/promises';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { ConfigMap, Namespace, Node, OwnerReference } from '../../api/types.ts';
import { isNotFound } from '../../client/errors.ts';
import type { Client } from '../../client/rest.ts';
import {
  configMaps,
  events,
  leases,
  namespaces,
  nodes,
  pods,
  serviceAccounts,
} from '../../client/resources.ts';
import { startControllers } from '../../controllers/start-controllers.ts';
import { startTestApiServer, testLog } from '../client/api-server.ts';
import { patience, until } from '../environment.ts';
import { aPod } from '../scheduler/fixtures.ts';

interface Context {
  client: Client;
  rootCaPem: string;
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;

test.beforeEach(async (t) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  const controllers = await startControllers({
    client: await server.clientAs('system:kube-controller-manager', ['system:masters']),
    log: testLog,
    rootCaPem: server.rootCaPem,
    clusterCidr: '10.244.0.0/16',
    // Long enough for a busy machine to renew in time, see keepAlive.
    nodeLifecycle: { monitorGracePeriodMs: 4000 * patience, startupGracePeriodMs: 60_000 },
    podGarbageCollector: { quarantineMs: 100 },
  });
  t.context = {
    client,
    rootCaPem: server.rootCaPem,
    async stop() {
      await controllers.stop();
      await server.stop();
    },
  };
});
test.afterEach.always((t) => t.context.stop());

/** Resolves with undefined when the server says NotFound. */
const found = async <T>(promise: Promise<T>): Promise<T | undefined> =>
  promise.catch((error: unknown) => {
    if (isNotFound(error)) return undefined;
    throw error;
  });

const createNamespace = (client: Client, name: string) =>
  client.resource(namespaces).create({ object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });

const configMap = (name: string, metadata: ConfigMap['metadata'] = {}): ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...metadata },
});
const createConfigMap = (client: Client, ...options: Parameters<typeof configMap>) =>
  client.resource(configMaps).create({ object: configMap(...options) });
const getConfigMap = (client: Client, name: string) =>
  found(client.resource(configMaps).get({ name, namespace: 'default' }));

test('a namespace has its service account and the root certificate, made again when deleted', async (t) => {
  const { client, rootCaPem } = t.context;
  await createNamespace(client, 'shop');
  const account = () => found(client.resource(serviceAccounts).get({ name: 'default', namespace: 'shop' }));
  const rootCa = () =>
    found(client.resource(configMaps).get({ name: 'kube-root-ca.crt', namespace: 'shop' }));
  await until(
    'both are there',
    async () => (await account()) !== undefined && (await rootCa()) !== undefined,
  );
  t.is((await rootCa())?.data?.['ca.crt'], rootCaPem);
  const uid = (await account())?.metadata?.uid;
  await client.resource(serviceAccounts).delete({ name: 'default', namespace: 'shop' });
  await until('the account is new', async () => {
    const present = (await account())?.metadata?.uid;
    return present !== undefined && present !== uid;
  });
  const changed = { ...configMap('kube-root-ca.crt', { namespace: 'shop' }), data: { 'ca.crt': 'forged' } };
  await client.resource(configMaps).update({ object: { ...(await rootCa()), ...changed } });
  await until('the certificate is back', async () => (await rootCa())?.data?.['ca.crt'] === rootCaPem);
});

test('deleting a namespace deletes what is in it, and tells what holds it up', async (t) => {
  const { client } = t.context;
  await createNamespace(client, 'shop');
  await createConfigMap(client, 'held', { namespace: 'shop', finalizers: ['example.com/hold'] });
  await client.resource(namespaces).delete({ name: 'shop' });
  const get = () => found(client.resource(namespaces).get({ name: 'shop' }));
  const messageOf = (namespace: Namespace | undefined, type: string) =>
    namespace?.status?.conditions?.find((condition) => condition.type === type)?.message;
  await until(
    'the conditions tell',
    async () =>
      messageOf(await get(), 'NamespaceContentRemaining') ===
      'Some resources are remaining: configmaps. has 1 resource instances',
  );
  t.is(
    messageOf(await get(), 'NamespaceFinalizersRemaining'),
    'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
  );
  await client
    .resource(configMaps)
    .patch({ name: 'held', namespace: 'shop', type: 'merge', patch: { metadata: { finalizers: null } } });
  await until('the namespace is gone', async () => (await get()) === undefined);
});

const ownedBy = (owner: ConfigMap, extra: Partial<OwnerReference> = {}) => ({
  ownerReferences: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      name: owner.metadata?.name ?? '',
      uid: owner.metadata?.uid ?? '',
      ...extra,
    },
  ],
});

test('dependents go with their owner, in the background and in the foreground', async (t) => {
  const { client } = t.context;
  for (const propagationPolicy of ['Background', 'Foreground'] as const) {
    const owner = await createConfigMap(client, 'owner');
    const child = await createConfigMap(client, 'child', ownedBy(owner, { blockOwnerDeletion: true }));
    await createConfigMap(client, 'grandchild', ownedBy(child, { blockOwnerDeletion: true }));
    await client.resource(configMaps).delete({ name: 'owner', namespace: 'default', propagationPolicy });
    await until(`all are gone (${propagationPolicy})`, async () => {
      const left = await Promise.all(
        ['owner', 'child', 'grandchild'].map((name) => getConfigMap(client, name)),
      );
      return left.every((each) => each === undefined);
    });
  }
  t.pass();
});

test('objects that own each other don’t wait for each other in the foreground', async (t) => {
  const { client } = t.context;
  const one = await createConfigMap(client, 'one');
  const other = await createConfigMap(client, 'other', ownedBy(one, { blockOwnerDeletion: true }));
  const patch = { metadata: ownedBy(other, { blockOwnerDeletion: true }) };
  const name = { name: 'one', namespace: 'default' };
  await client.resource(configMaps).patch({ ...name, type: 'merge', patch });
  await client.resource(configMaps).delete({ ...name, propagationPolicy: 'Foreground' });
  await until('both are gone', async () => {
    const left = await Promise.all(['one', 'other'].map((each) => getConfigMap(client, each)));
    return left.every((each) => each === undefined);
  });
  t.pass();
});

test('orphans stay, without the reference', async (t) => {
  const { client } = t.context;
  const owner = await createConfigMap(client, 'owner');
  await createConfigMap(client, 'child', ownedBy(owner));
  await client
    .resource(configMaps)
    .delete({ name: 'owner', namespace: 'default', propagationPolicy: 'Orphan' });
  await until('the owner is gone', async () => (await getConfigMap(client, 'owner')) === undefined);
  t.deepEqual((await getConfigMap(client, 'child'))?.metadata?.ownerReferences ?? [], []);
});

test('an object with one owner left loses only the reference to the other', async (t) => {
  const { client } = t.context;
  const [one, two] = [await createConfigMap(client, 'one'), await createConfigMap(client, 'two')];
  const ownerReferences = [...ownedBy(one).ownerReferences, ...ownedBy(two).ownerReferences];
  await createConfigMap(client, 'child', { ownerReferences });
  await client.resource(configMaps).delete({ name: 'one', namespace: 'default' });
  await until('the reference is gone', async () => {
    const references = (await getConfigMap(client, 'child'))?.metadata?.ownerReferences ?? [];
    return references.length === 1 && references[0]?.name === 'two';
  });
  t.pass();
});

test('an owner that never was', async (t) => {
  const { client } = t.context;
  const owner = { ...configMap('nobody'), metadata: { name: 'nobody', uid: 'no-such-uid' } };
  await createConfigMap(client, 'child', ownedBy(owner));
  await until('the child is gone', async () => (await getConfigMap(client, 'child')) === undefined);
  t.pass();
});

const createNode = async (client: Client, name: string): Promise<void> => {
  const object: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name } };
  const created = await client.resource(nodes).create({ object });
  await reportReady(client, created);
};
const reportReady = async (client: Client, node: Node): Promise<void> => {
  const lastHeartbeatTime = `${new Date().toISOString().slice(0, 19)}Z`;
  const condition = { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime };
  await client.resource(nodes).patch({
    name: node.metadata?.name ?? '',
    type: 'strategic',
    subresource: 'status',
    patch: { status: { conditions: [condition] } },
  });
};
/** Renews a node's Lease until stopped, as its kubelet would. */
const keepAlive = async (client: Client, name: string) => {
  const metadata = { name, namespace: 'kube-node-lease' };
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata };
  const renewTime = () => `${new Date().toISOString().slice(0, -1)}000Z`;
  await client.resource(leases).create({ object: { ...lease, spec: { renewTime: renewTime() } } });
  const stopped = new AbortController();
  const renew = async () => {
    // One after the other: on a slow machine a fixed rate would pile up, and the node would be heard of long after its end.
    while (!stopped.signal.aborted) {
      const patch = { spec: { renewTime: renewTime() } };
      await client
        .resource(leases)
        .patch({ ...metadata, type: 'merge', patch })
        .catch(() => undefined);
      await delay(200);
    }
  };
  void renew();
  return () => stopped.abort();
};

test('a silent node becomes Unknown and tainted, its pods not ready and evicted', async (t) => {
  const { client } = t.context;
  await createNode(client, 'node-1');
  await createNode(client, 'node-2');
  t.teardown(await keepAlive(client, 'node-1'));
  const stopSecond = await keepAlive(client, 'node-2');
  t.teardown(stopSecond);
  const { uid: _uid, ...metadata } = aPod({ name: 'quick' }).metadata ?? {};
  const spec = {
    containers: [{ name: 'a', image: 'busybox' }],
    nodeName: 'node-2',
    tolerations: [
      {
        key: 'node.kubernetes.io/unreachable',
        operator: 'Exists',
        effect: 'NoExecute',
        tolerationSeconds: 1,
      },
      { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 },
    ],
  };
  await client.resource(pods).create({ object: { apiVersion: 'v1', kind: 'Pod', metadata, spec } });
  const getNode = (name: string) => client.resource(nodes).get({ name });
  await until('both nodes have a network', async () => {
    const cidrs = new Set([(await getNode('node-1')).spec?.podCIDR, (await getNode('node-2')).spec?.podCIDR]);
    return cidrs.has('10.244.1.0/24') && cidrs.has('10.244.2.0/24');
  });
  stopSecond();
  await until('node-2 is unreachable', async () => {
    const keys = ((await getNode('node-2')).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
    return (
      keys.includes('node.kubernetes.io/unreachable:NoExecute') &&
      keys.includes('node.kubernetes.io/unreachable:NoSchedule')
    );
  });
  const ready = (await getNode('node-2')).status?.conditions?.find(({ type }) => type === 'Ready');
  t.like(ready, {
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  });
  await until('the pod is marked for deletion', async () => {
    const pod = await client.resource(pods).get({ name: 'quick', namespace: 'default' });
    return pod.metadata?.deletionTimestamp !== undefined;
  });
  await until('both are told', async () => {
    const told = (await client.resource(events).list()).items.map(
      ({ reason, message }) => `${reason}: ${message}`,
    );
    return (
      told.includes('TaintManagerEviction: Marking for deletion Pod default/quick') &&
      told.includes('NodeNotReady: Node node-2 status is now: NodeNotReady')
    );
  });

  await client.resource(leases).delete({ name: 'node-2', namespace: 'kube-node-lease' });
  t.teardown(await keepAlive(client, 'node-2'));
  await reportReady(client, await getNode('node-2'));
  await until(
    'node-2 has no taints',
    async () => ((await getNode('node-2')).spec?.taints ?? []).length === 0,
  );

  await client.resource(nodes).delete({ name: 'node-2' });
  await until('the pod of a deleted node is gone', async () => {
    const pod = await found(client.resource(pods).get({ name: 'quick', namespace: 'default' }));
    return pod === undefined;
  });
});

test('when no node at all is ready nothing is evicted', async (t) => {
  const { client } = t.context;
  await createNode(client, 'node-1');
  await until('node-1 is unreachable', async () => {
    const node = await client.resource(nodes).get({ name: 'node-1' });
    return (node.spec?.taints ?? []).some(({ key }) => key === 'node.kubernetes.io/unreachable');
  });
  const { spec } = await client.resource(nodes).get({ name: 'node-1' });
  t.deepEqual(
    (spec?.taints ?? []).map(({ effect }) => effect),
    ['NoSchedule'],
  );
});
