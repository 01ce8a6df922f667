import test from 'ava';
import { createBackOff } from '../../client/back-off.ts';
import { createInformer } from '../../client/informer.ts';
import { createInformerFactory } from '../../client/informer-factory.ts';
import { configMaps } from '../../client/resources.ts';
import type { InformerOptions } from '../../client/informer.ts';
import type { ConfigMap } from '../../api/types.ts';
import { startFakeApiServer } from './fake-api-server.ts';
import { until } from '../environment.ts';

const collection = '/api/v1/configmaps';
const configMap = (name: string, value = '1') => ({
  metadata: { name, labels: { value } },
});

const start = async (options: Partial<InformerOptions<ConfigMap>> = {}) => {
  const server = await startFakeApiServer();
  server.put(`${collection}/a`, configMap('a'));
  server.put(`${collection}/b`, configMap('b'));
  const client = server.client();
  const seen: string[] = [];
  const errors: unknown[] = [];
  const informer = createInformer({
    client,
    resource: configMaps,
    backOff: createBackOff({ initialMs: 5, capMs: 20 }),
    onError: (error) => errors.push(error),
    ...options,
  });
  informer.addHandler({
    add: ({ metadata }, { isInInitialList }) =>
      seen.push(`add ${metadata?.name ?? ''}${isInInitialList ? ' initial' : ''}`),
    update: ({ metadata }, previous) =>
      seen.push(`update ${metadata?.name ?? ''} ${previous.metadata?.labels?.['value'] ?? ''}`),
    delete: ({ metadata }, { finalStateUnknown }) =>
      seen.push(`delete ${metadata?.name ?? ''}${finalStateUnknown ? ' unknown' : ''}`),
  });
  informer.start();
  await informer.waitForSync();
  await until('the watch is there', () => server.watcherCount() === 1);
  const stop = async () => {
    await informer.stop();
    client.close();
    await server.stop();
  };
  return { server, informer, seen, errors, stop, client };
};

test('lists, watches and indexes', async (t) => {
  const byValue = { value: ({ metadata }: ConfigMap) => [metadata?.labels?.['value'] ?? ''] };
  const { server, informer, seen, stop } = await start({ indexers: byValue });
  t.true(informer.hasSynced());
  server.put(`${collection}/c`, configMap('c'));
  server.put(`${collection}/a`, configMap('a', '2'));
  server.remove(`${collection}/b`);
  await until('the deletion is seen', () => seen.length === 5);
  t.deepEqual(seen, ['add a initial', 'add b initial', 'add c', 'update a 1', 'delete b']);
  t.deepEqual(
    informer.lister.byIndex('value', '1').map(({ metadata }) => metadata?.name),
    ['c'],
  );
  t.is(informer.lister.get({ name: 'a' })?.metadata?.labels?.['value'], '2');
  t.is(informer.lister.size, 2);
  await stop();
});

test('a late handler gets what is there', async (t) => {
  const { informer, stop } = await start();
  const late: string[] = [];
  const removeHandler = informer.addHandler({ add: ({ metadata }) => late.push(metadata?.name ?? '') });
  t.deepEqual(late, ['a', 'b']);
  removeHandler();
  await stop();
});

test('goes on from the last resourceVersion after a lost connection', async (t) => {
  const { server, seen, errors, stop } = await start();
  server.put(`${collection}/c`, configMap('c'));
  await until('c is seen', () => seen.length === 3);
  const listed = server.requests.filter((request) => !request.includes('watch=true')).length;
  server.withoutTelling(() => server.put(`${collection}/d`, configMap('d')));
  server.dropConnections();
  await until('d is seen', () => seen.includes('add d'));
  t.is(server.requests.filter((request) => !request.includes('watch=true')).length, listed);
  t.true(server.requests.at(-1)?.includes('resourceVersion=4'));
  t.is(errors.length, 1);
  await stop();
});

test('lists anew after 410 and tells what was missed', async (t) => {
  const { server, seen, stop } = await start();
  server.withoutTelling(() => {
    server.put(`${collection}/a`, configMap('a', '2'));
    server.remove(`${collection}/b`);
    server.put(`${collection}/c`, configMap('c'));
  });
  server.compact();
  server.dropConnections();
  await until('c is seen', () => seen.includes('add c'));
  t.deepEqual(seen.slice(2), ['delete b unknown', 'update a 1', 'add c']);
  t.true(server.requests.some((request) => request === `GET ${collection}?limit=500`));
  await stop();
});

test('what was deleted and made anew under its name while nobody looked is another one', async (t) => {
  const { server, seen, stop } = await start();
  server.withoutTelling(() => {
    server.remove(`${collection}/b`);
    server.put(`${collection}/b`, configMap('b', '2'));
  });
  server.compact();
  server.dropConnections();
  await until('the new one is told', () => seen.length > 3);
  t.deepEqual(seen.slice(2), ['delete b unknown', 'add b']);
  await stop();
});

test('a server that is back is asked at once, whatever the back-off says', async (t) => {
  const { server, seen, errors, stop, client } = await start({
    backOff: createBackOff({ initialMs: 3_600_000 }),
  });
  await server.pause();
  await until('the watch is given up', () => errors.length === 1);
  await server.resume();
  await client.resource(configMaps).get({ name: 'a' });
  server.put(`${collection}/c`, configMap('c'));
  await until('c is seen', () => seen.includes('add c'));
  t.pass();
  await stop();
});

test('a handler that throws is told, and the others are still called', async (t) => {
  const { server, informer, seen, errors, stop } = await start();
  informer.addHandler({
    update() {
      throw new Error('boom');
    },
  });
  server.put(`${collection}/a`, configMap('a', '2'));
  await until('the update is seen', () => seen.includes('update a 1'));
  t.deepEqual(
    errors.map((error) => (error as Error).message),
    ['boom'],
  );
  await stop();
});

test('waits with growing delays while the server refuses', async (t) => {
  const server = await startFakeApiServer();
  let refusals = 3;
  server.setIntercept(() => {
    refusals -= 1;
    return refusals < 0
      ? undefined
      : { status: 403, body: { kind: 'Status', code: 403, reason: 'Forbidden' } };
  });
  const client = server.client();
  const delays: number[] = [];
  const backOff = createBackOff({ initialMs: 1, random: () => 0 });
  const informer = createInformer({
    client,
    resource: configMaps,
    backOff: {
      ...backOff,
      nextMs() {
        delays.push(backOff.nextMs());
        return delays.at(-1) ?? 0;
      },
    },
  });
  informer.start();
  await informer.waitForSync();
  t.deepEqual(delays, [1, 2, 4]);
  await informer.stop();
  client.close();
  await server.stop();
});

test('waitForSync gives up with its signal and with the informer', async (t) => {
  const server = await startFakeApiServer();
  const client = server.client();
  const informer = createInformer({ client, resource: configMaps });
  const aborted = new AbortController();
  const waiting = informer.waitForSync(aborted.signal);
  aborted.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
  const stopped = informer.waitForSync();
  await informer.stop();
  await t.throwsAsync(stopped, { message: 'the informer of configmaps is stopped' });
  client.close();
  await server.stop();
});

test('a factory shares one informer a resource and selection', async (t) => {
  const server = await startFakeApiServer();
  server.put(`${collection}/a`, configMap('a'));
  const client = server.client();
  const factory = createInformerFactory({ client });
  const informer = factory.informer(configMaps);
  t.is(factory.informer(configMaps), informer);
  t.not(factory.informer(configMaps, { labelSelector: 'x=y' }), informer);
  factory.start();
  await factory.waitForSync();
  t.is(informer.lister.size, 1);
  await factory.stop();
  client.close();
  await server.stop();
});
