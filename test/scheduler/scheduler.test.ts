import anyTest from 'ava';
import type { TestFn } from 'ava';
import type { Client } from '../../client/rest.ts';
import { isNotFound } from '../../client/errors.ts';
import { events, leases, pods } from '../../client/resources.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { createDefaultAccount, startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { aNode, aPod } from './fixtures.ts';
import { createPod, getPod } from './pods.ts';
import { createReadyNode } from './ready-node.ts';

interface Context {
  client: Client;
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;

test.beforeEach(async (t) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  await createDefaultAccount(client);
  const scheduler = await startScheduler({
    client: await server.clientAs('system:kube-scheduler'),
    log: testLog,
  });
  t.context = {
    client,
    async stop() {
      await scheduler.stop();
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

const eventsOf = async (client: Client, reason: string) =>
  (await client.resource(events).list({ namespace: 'default' })).items.filter(
    (event) => event.reason === reason,
  );

test('places a pod, with upstream event', async (t) => {
  const { client } = t.context;
  await createReadyNode(client, aNode());
  await createPod(client, aPod());
  await until('the pod has a node', async () => (await getPod(client, 'web')).spec?.nodeName === 'node-1');
  const condition = (await getPod(client, 'web')).status?.conditions?.find(
    ({ type }) => type === 'PodScheduled',
  );
  t.is(condition?.status, 'True');
  await until('the event is there', async () => (await eventsOf(client, 'Scheduled')).length === 1);
  t.like((await eventsOf(client, 'Scheduled'))[0], {
    type: 'Normal',
    message: 'Successfully assigned default/web to node-1',
    source: { component: 'default-scheduler' },
  });
});

test('tells why a pod waits, and places it when a node appears', async (t) => {
  const { client } = t.context;
  await createReadyNode(client, aNode({ spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } }));
  await createPod(client, aPod());
  const message =
    '0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: 0/1 nodes are available: ' +
    '1 Preemption is not helpful for scheduling.';
  await until('the condition is there', async () => {
    const conditions = (await getPod(client, 'web')).status?.conditions ?? [];
    const condition = conditions.find(({ type }) => type === 'PodScheduled');
    return condition?.reason === 'Unschedulable' && condition.message === message;
  });
  await until('the event is there', async () => (await eventsOf(client, 'FailedScheduling')).length === 1);
  t.like((await eventsOf(client, 'FailedScheduling'))[0], { type: 'Warning', message });
  await createReadyNode(client, aNode({ name: 'node-2' }));
  await until('the pod has a node', async () => (await getPod(client, 'web')).spec?.nodeName === 'node-2');
});

test('a pod without any node to go to', async (t) => {
  const { client } = t.context;
  await createPod(client, aPod());
  await until('the condition is there', async () => {
    const conditions = (await getPod(client, 'web')).status?.conditions ?? [];
    return conditions.some(({ message }) => message === 'no nodes available to schedule pods');
  });
  t.pass();
});

test('a pod of another scheduler is left alone, a hundred of ours are placed', async (t) => {
  const { client } = t.context;
  await createReadyNode(client, aNode());
  await createPod(client, aPod({ name: 'theirs', schedulerName: 'other' }));
  const names = Array.from({ length: 100 }, (_, index) => `pod-${index}`);
  await Promise.all(names.map((name) => createPod(client, aPod({ name }))));
  await until('all have a node', async () => {
    const list = await client
      .resource(pods)
      .list({ namespace: 'default', fieldSelector: 'spec.nodeName=node-1' });
    return list.items.length === 100;
  });
  t.is((await getPod(client, 'theirs')).spec?.nodeName, undefined);
});

test('room that a deleted pod leaves is used', async (t) => {
  const { client } = t.context;
  await createReadyNode(client, aNode());
  await createPod(client, aPod({ name: 'first', requests: { cpu: '2' } }));
  await until('first has a node', async () => (await getPod(client, 'first')).spec?.nodeName === 'node-1');
  await createPod(client, aPod({ name: 'second', requests: { cpu: '1' } }));
  await until('second waits', async () => (await eventsOf(client, 'FailedScheduling')).length === 1);
  t.is(
    (await eventsOf(client, 'FailedScheduling'))[0]?.message,
    '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: ' +
      '1 No preemption victims found for incoming pod.',
  );
  await client.resource(pods).delete({ name: 'first', namespace: 'default', gracePeriodSeconds: 0 });
  await until('second has a node', async () => (await getPod(client, 'second')).spec?.nodeName === 'node-1');
});

test('two important pods at once each get a victim', async (t) => {
  const { client } = t.context;
  await createReadyNode(client, aNode());
  const requests = { cpu: '1' };
  const victims = ['low-1', 'low-2'];
  for (const name of victims) {
    await createPod(client, aPod({ name, requests }));
    await until(`${name} has a node`, async () => (await getPod(client, name)).spec?.nodeName === 'node-1');
  }
  const priorityClassName = 'system-cluster-critical';
  await Promise.all(
    ['high-1', 'high-2'].map((name) => createPod(client, aPod({ name, requests, priorityClassName }))),
  );
  // Nobody ends the victims here: the second may not wait for the first one's end.
  await until('both victims are told to go', async () => {
    const going = await Promise.all(victims.map((name) => getPod(client, name)));
    return going.every(({ metadata }) => metadata?.deletionTimestamp !== undefined);
  });
  await until('both are told of', async () => {
    const told = (await eventsOf(client, 'Preempted')).map(({ involvedObject }) => involvedObject.name);
    return victims.every((name) => told.includes(name));
  });
  t.pass();
});

test('a failed try takes back a nomination that no eviction holds', async (t) => {
  const { client } = t.context;
  const schedulingGates = [{ name: 'example.com/wait' }];
  const pod = await createPod(client, aPod({ schedulingGates }));
  const status = { ...pod.status, nominatedNodeName: 'gone' };
  await client.resource(pods).updateStatus({ object: { ...pod, status } });
  const patch = { spec: { schedulingGates: null } };
  await client.resource(pods).patch({ name: 'web', namespace: 'default', type: 'merge', patch });
  await until('the nomination is gone', async () => {
    const { conditions = [], nominatedNodeName } = (await getPod(client, 'web')).status ?? {};
    const message = 'no nodes available to schedule pods';
    return nominatedNodeName === undefined && conditions.some((condition) => condition.message === message);
  });
  t.pass();
});

test('a pod that is being deleted gets no node', async (t) => {
  const { client } = t.context;
  const waiting = aPod();
  await createPod(client, {
    ...waiting,
    metadata: { ...waiting.metadata, finalizers: ['example.com/keep'] },
  });
  await until('it has been tried', async () => (await eventsOf(client, 'FailedScheduling')).length === 1);
  await client.resource(pods).delete({ name: 'web', namespace: 'default' });
  await createReadyNode(client, aNode());
  await until('it is passed over', async () =>
    (await eventsOf(client, 'FailedScheduling')).some(
      ({ message }) => message === 'skip schedule deleting pod: default/web',
    ),
  );
  t.is((await getPod(client, 'web')).spec?.nodeName, undefined);
});

test('two candidates share the work by a Lease', async (t) => {
  const { client } = t.context;
  const schedulerName = 'elected';
  const start = () => startScheduler({ client, log: testLog, schedulerName, leaderElection: true });
  const first = await start();
  const lease = () =>
    found(client.resource(leases).get({ name: 'kube-scheduler', namespace: 'kube-system' }));
  await until('there is a leader', async () => (await lease())?.spec?.holderIdentity !== undefined);
  const second = await start();
  await createReadyNode(client, aNode());
  await createPod(client, aPod({ name: 'one', schedulerName }));
  await until('one has a node', async () => (await getPod(client, 'one')).spec?.nodeName === 'node-1');
  const holder = (await lease())?.spec?.holderIdentity;
  await first.stop();
  t.not((await lease())?.spec?.holderIdentity, holder);
  await createPod(client, aPod({ name: 'two', schedulerName }));
  await until('two has a node', async () => (await getPod(client, 'two')).spec?.nodeName === 'node-1');
  await second.stop();
});
