import anyTest from 'ava';
import type { TestFn } from 'ava';
import { conflict, notFound } from '../../api/status.ts';
import type { Client } from '../../client/rest.ts';
import { events, pods } from '../../client/resources.ts';
import type { Plugin } from '../../scheduler/framework/plugin.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { defaultPlugins } from '../../scheduler/plugins/index.ts';
import { createDefaultAccount, startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { aNode, aPod } from './fixtures.ts';
import { createPod, getPod, nodeOf } from './pods.ts';
import { createReadyNode } from './ready-node.ts';

interface Context {
  client: Client;
  /** Schedules with a plugin that goes before the default ones. */
  schedule: (plugin: Omit<Plugin, 'name'>) => Promise<void>;
  stop: () => Promise<void>;
}
const test = anyTest as TestFn<Context>;

test.beforeEach(async (t) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  await createDefaultAccount(client);
  await createReadyNode(client, aNode());
  let scheduler: { stop(): Promise<void> } | undefined;
  t.context = {
    client,
    async schedule(plugin) {
      scheduler = await startScheduler({
        client: await server.clientAs('system:kube-scheduler'),
        log: testLog,
        plugins: [() => ({ name: 'Test', ...plugin }), ...defaultPlugins],
      });
    },
    async stop() {
      await scheduler?.stop();
      await server.stop();
    },
  };
});
test.afterEach.always((t) => t.context.stop());

const whole = { requests: { cpu: '2' } };
const conditionOf = async (client: Client, name: string, type: string) =>
  (await getPod(client, name)).status?.conditions?.find((condition) => condition.type === type);
const told = async (client: Client, reason: string) =>
  (await client.resource(events).list({ namespace: 'default' })).items
    .filter((event) => event.reason === reason)
    .map(({ involvedObject, message }) => `${involvedObject.name ?? ''}: ${message ?? ''}`);

test('a victim that waits in preBind only goes back to the queue', async (t) => {
  const { client, schedule } = t.context;
  let waits = 0;
  await schedule({
    async preBind({ pod, signal }) {
      if (pod.metadata?.name !== 'low') return;
      waits += 1;
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    },
  });
  const low = await createPod(client, aPod({ name: 'low', ...whole }));
  await until('low waits', () => waits === 1);
  const high = await createPod(
    client,
    aPod({ name: 'high', priorityClassName: 'system-cluster-critical', ...whole }),
  );
  await until('high has a node', async () => (await nodeOf(client, 'high')) === 'node-1');
  const preempted = `low: Preempted by pod ${high.metadata?.uid ?? ''} on node node-1 (in kube-scheduler memory).`;
  await until('the event is there', async () => (await told(client, 'Preempted')).includes(preempted));
  const cancelled = 'low: running PreBind plugin "Test": context canceled';
  await until('low is told why', async () => (await told(client, 'FailedScheduling')).includes(cancelled));
  t.is((await getPod(client, 'low')).metadata?.deletionTimestamp, undefined);
  t.is(await conditionOf(client, 'low', 'DisruptionTarget'), undefined);
  await client.resource(pods).delete({ name: 'high', namespace: 'default', gracePeriodSeconds: 0 });
  await until('low is tried again', () => waits === 2);
  t.is((await getPod(client, 'low')).metadata?.uid, low.metadata?.uid);
});

test('a victim that is past preBind is deleted', async (t) => {
  const { client, schedule } = t.context;
  const binding = Promise.withResolvers<boolean>();
  let isBinding = false;
  await schedule({
    async bind({ pod }) {
      if (pod.metadata?.name !== 'low') return false;
      isBinding = true;
      return binding.promise;
    },
  });
  await createPod(client, aPod({ name: 'low', ...whole }));
  await until('low is bound', () => isBinding);
  t.is((await getPod(client, 'low')).status?.nominatedNodeName, undefined, 'there was nothing to wait for');
  const high = await createPod(
    client,
    aPod({ name: 'high', priorityClassName: 'system-cluster-critical', ...whole }),
  );
  const preempted = `low: Preempted by pod ${high.metadata?.uid ?? ''} on node node-1`;
  await until('the event is there', async () => (await told(client, 'Preempted')).includes(preempted));
  await until('high has a node', async () => (await nodeOf(client, 'high')) === 'node-1');
  binding.resolve(false);
});

test('a bind that fails is told with its plugin', async (t) => {
  const { client, schedule } = t.context;
  const why = 'pod web is already assigned to node "node-2"';
  await schedule({
    bind: () => Promise.reject(conflict({ group: '', resource: 'pods/binding' }, 'web', why)),
  });
  await createPod(client, aPod());
  const message = `running Bind plugin "Test": Operation cannot be fulfilled on pods/binding "web": ${why}`;
  await until('the event is there', async () =>
    (await told(client, 'FailedScheduling')).includes(`web: ${message}`),
  );
  await until(
    'so is the condition',
    async () => (await conditionOf(client, 'web', 'PodScheduled')) !== undefined,
  );
  t.like(await conditionOf(client, 'web', 'PodScheduled'), {
    status: 'False',
    reason: 'SchedulerError',
    message,
  });
});

test('a bind that finds the pod gone is told to nobody', async (t) => {
  const { client, schedule } = t.context;
  const tried = new Set<string>();
  await schedule({
    bind({ pod: { metadata } }) {
      tried.add(metadata?.name ?? '');
      if (metadata?.name !== 'gone') return Promise.reject(new Error('not now'));
      return Promise.reject(notFound({ group: '', resource: 'pods' }, 'gone'));
    },
  });
  await createPod(client, aPod({ name: 'gone' }));
  await until('gone is tried', () => tried.has('gone'));
  await createPod(client, aPod({ name: 'next' }));
  // Events are written in their order.
  await until('next is told of', async () => (await told(client, 'FailedScheduling')).length > 0);
  t.true((await told(client, 'FailedScheduling')).every((line) => line.startsWith('next: ')));
});
