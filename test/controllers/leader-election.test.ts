import test from 'ava';
import type { Client } from '../../client/rest.ts';
import { leases, namespaces, serviceAccounts } from '../../client/resources.ts';
import { startControllers } from '../../controllers/start-controllers.ts';
import { startTestApiServer, testLog } from '../client/api-server.ts';
import { until } from '../environment.ts';
import { found } from './controller-rig.ts';

const holderOf = async (client: Client): Promise<string | undefined> => {
  const name = { name: 'kube-controller-manager', namespace: 'kube-system' };
  return (await found(client.resource(leases).get(name)))?.spec?.holderIdentity;
};

/** Resolves when the controllers have done something for a new namespace. */
const served = async (client: Client, name: string): Promise<void> => {
  await client
    .resource(namespaces)
    .create({ object: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } } });
  await until(
    `${name} is served`,
    async () =>
      (await found(client.resource(serviceAccounts).get({ name: 'default', namespace: name }))) !== undefined,
  );
};

test('of two instances one works, and the other one takes over', async (t) => {
  const server = await startTestApiServer();
  const client = await server.admin();
  const start = () =>
    startControllers({ client, log: testLog, rootCaPem: server.rootCaPem, leaderElection: true });
  const first = await start();
  await until('there is a leader', async () => (await holderOf(client)) !== undefined);
  const holder = await holderOf(client);
  const second = await start();
  await served(client, 'one');
  t.is(await holderOf(client), holder);
  await first.stop();
  await served(client, 'two');
  t.not(await holderOf(client), holder);
  await second.stop();
  t.is(await holderOf(client), '');
  await server.stop();
});
