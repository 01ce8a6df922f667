import anyTest from 'ava';
import type { TestFn } from 'ava';
import { conflict, notFound } from '../../api/status.ts';
import type { Pod } from '../../api/types.ts';
import type { Client } from '../../client/rest.ts';
import { events, pods, serviceAccounts } from '../../client/resources.ts';
import type { Plugin } from '../../scheduler/framework/plugin.ts';
import { startScheduler } from '../../scheduler/index.ts';
import { defaultPlugins } from '../../scheduler/plugins/index.ts';
import { startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { aNode, aPod } from './fixtures.ts';
import { createReadyNode } from './ready-node.ts';
import { withoutUid } from './storage-fixtures.ts';

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
  const metadata = { name: 'default', namespace: 'default' };
  await client
    .resource(serviceAccounts)
    .create({ object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata } });
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

const create = (client: Client, pod: Pod) => client.resource(pods).create({ object: withoutUid(pod) });
const get = (client: Client, name: string) => client.resource(pods).get({ name, namespace: 'default' });
const conditionOf = async (client: Client, name: string, type: string) =>
  (await get(client, name)).status?.conditions?.find((condition) => condition.type === type);
const told = async (client: Client, reason: string) =>
  (await client.resource(events).list({ namespace: 'default' })).items
    .filter((event) => event.reason === reason)
    .map(({ involvedObject, message }) => `${involvedObject.name ?? ''}: ${message ?? ''}`);

test('a bind that fails is told with its plugin', async (t) => {
  const { client, schedule } = t.context;
  const why = 'pod web is already assigned to node "node-2"';
  await schedule({
    bind: () => Promise.reject(conflict({ group: '', resource: 'pods/binding' }, 'web', why)),
  });
  await create(client, aPod());
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
  await create(client, aPod({ name: 'gone' }));
  await until('gone is tried', () => tried.has('gone'));
  await create(client, aPod({ name: 'next' }));
  // Events are written in their order.
  await until('next is told of', async () => (await told(client, 'FailedScheduling')).length > 0);
  t.true((await told(client, 'FailedScheduling')).every((line) => line.startsWith('next: ')));
});
