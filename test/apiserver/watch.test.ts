import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { openEmbeddedStore } from '../../store/embedded/open.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';
import { configMap, CONFIG_MAPS, startTestServer } from './test-server.ts';
import type { TestServer, WatchLine } from './test-server.ts';

const brief = (line: WatchLine | undefined): [string | undefined, string | undefined] => [
  line?.type,
  line?.object.metadata.name as string,
];

const revisionOf = async (server: TestServer): Promise<string> =>
  (await server.get(CONFIG_MAPS)).body.metadata.resourceVersion as string;

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

test('follows changes from a resourceVersion, none twice and none left out', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const start = await revisionOf(server);
  await server.post(CONFIG_MAPS, configMap('b'));
  const watch = await server.watch(`${CONFIG_MAPS}?watch=true&resourceVersion=${start}`);
  t.deepEqual(brief(await watch.next()), ['ADDED', 'b']);
  const { body } = await server.patch(`${CONFIG_MAPS}/b`, { data: { x: '1' } });
  const modified = await watch.next();
  t.deepEqual(modified, { type: 'MODIFIED', object: body as unknown });
  await server.remove(`${CONFIG_MAPS}/b`);
  const deleted = await watch.next();
  t.deepEqual(brief(deleted), ['DELETED', 'b']);
  t.true(Number(deleted?.object.metadata.resourceVersion) > Number(body.metadata.resourceVersion));
  watch.end();
});

test('begins with the state when no resourceVersion is given', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  await server.post('/api/v1/namespaces/kube-system/configmaps', configMap('elsewhere'));
  const watch = await server.watch(`${CONFIG_MAPS}?watch=1`);
  t.deepEqual(brief(await watch.next()), ['ADDED', 'a']);
  await server.post('/api/v1/namespaces/kube-system/configmaps', configMap('elsewhere-too'));
  await server.post(CONFIG_MAPS, configMap('b'));
  t.deepEqual(brief(await watch.next()), ['ADDED', 'b']);
  watch.end();
});

test('a streaming list ends with its bookmark', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const query =
    'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const watch = await server.watch(`${CONFIG_MAPS}?${query}`);
  t.deepEqual(brief(await watch.next()), ['ADDED', 'a']);
  const bookmark = await watch.next();
  t.is(bookmark?.type, 'BOOKMARK');
  t.is(bookmark?.object.kind, 'ConfigMap');
  t.is(bookmark?.object.metadata.annotations['k8s.io/initial-events-end'], 'true');
  t.is(bookmark?.object.metadata.resourceVersion, await revisionOf(server));
  t.deepEqual(Object.keys(bookmark?.object.metadata).toSorted(), ['annotations', 'resourceVersion']);
  watch.end();
  const missing = await server.get(`${CONFIG_MAPS}?watch=true&sendInitialEvents=true`);
  t.is(missing.status, 422);
  t.regex(missing.body.message, /sendInitialEvents requires setting resourceVersionMatch to NotOlderThan/);
});

test('flags are what is neither 0 nor false, in any letters', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const query = 'watch=True&sendInitialEvents=True&resourceVersionMatch=NotOlderThan';
  const bookmarked = await server.watch(`${CONFIG_MAPS}?${query}&allowWatchBookmarks=True`);
  t.deepEqual(brief(await bookmarked.next()), ['ADDED', 'a']);
  t.is((await bookmarked.next())?.type, 'BOOKMARK');
  bookmarked.end();
  const watch = await server.watch(`${CONFIG_MAPS}?${query}&allowWatchBookmarks=False`);
  t.deepEqual(brief(await watch.next()), ['ADDED', 'a']);
  await server.post(CONFIG_MAPS, configMap('b'));
  t.deepEqual(brief(await watch.next()), ['ADDED', 'b']);
  watch.end();
  t.is((await server.get(`${CONFIG_MAPS}?watch=False`)).body.kind, 'ConfigMapList');
});

test('a watch without the state begins with what happens next', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const query = 'watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan';
  const watches = [await server.watch(`${CONFIG_MAPS}?${query}`)];
  watches.push(await server.watch(`${CONFIG_MAPS}?${query}&resourceVersion=0`));
  await server.post(CONFIG_MAPS, configMap('b'));
  for (const watch of watches) {
    t.deepEqual(brief(await watch.next()), ['ADDED', 'b']);
    watch.end();
  }
});

test('ends at its timeout, with a bookmark before', async (t) => {
  const server = await startTestServer(t);
  const start = await revisionOf(server);
  const watch = await server.watch(
    `${CONFIG_MAPS}?watch=true&resourceVersion=${start}&allowWatchBookmarks=true&timeoutSeconds=1`,
  );
  t.is((await watch.next())?.type, 'BOOKMARK');
  t.is(await watch.next(), undefined);
});

test('a timeout beyond what a timer can hold is a long one', async (t) => {
  const server = await startTestServer(t);
  const watch = await server.watch(`${CONFIG_MAPS}?watch=true&timeoutSeconds=2147484`);
  await setTimeout(50);
  await server.post(CONFIG_MAPS, configMap('a'));
  t.deepEqual(brief(await watch.next()), ['ADDED', 'a']);
  watch.end();
});

test('objects that begin or cease to match are added and deleted', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a', {}, { app: 'db' }));
  const start = await revisionOf(server);
  const watch = await server.watch(
    `${CONFIG_MAPS}?watch=true&labelSelector=app%3Dweb&resourceVersion=${start}`,
  );
  await server.patch(`${CONFIG_MAPS}/a`, { metadata: { labels: { app: 'web' } } });
  t.deepEqual(brief(await watch.next()), ['ADDED', 'a']);
  const { body } = await server.patch(`${CONFIG_MAPS}/a`, { metadata: { labels: { app: 'db' } } });
  const deleted = await watch.next();
  t.deepEqual(brief(deleted), ['DELETED', 'a']);
  t.is(deleted?.object.metadata.labels.app, 'web');
  t.is(deleted?.object.metadata.resourceVersion, body.metadata.resourceVersion);
  watch.end();
});

test('one object by field selector', async (t) => {
  const server = await startTestServer(t);
  const watch = await server.watch(
    `${CONFIG_MAPS}?watch=true&fieldSelector=metadata.name%3Db&resourceVersion=0`,
  );
  await server.post(CONFIG_MAPS, configMap('a'));
  await server.post(CONFIG_MAPS, configMap('b'));
  t.deepEqual(brief(await watch.next()), ['ADDED', 'b']);
  watch.end();
});

test('as a table', async (t) => {
  const server = await startTestServer(t);
  const watch = await server.watch(`${CONFIG_MAPS}?watch=true`, { headers: TABLE });
  await server.post(CONFIG_MAPS, configMap('a', { x: '1' }));
  const line = await watch.next();
  t.is(line?.object.kind, 'Table');
  t.deepEqual(line?.object.rows[0].cells.slice(0, 2), ['a', 1]);
  watch.end();
});

test('an object that says nothing is shown in a table, and no watch ends with it', async (t) => {
  const server = await startTestServer(t, { onFailure: (error) => t.fail(String(error)) });
  const events = '/api/v1/namespaces/default/events';
  const nodes = '/apis/storage.k8s.io/v1/csinodes';
  const ofEvents = await server.watch(`${events}?watch=true`, { headers: TABLE });
  const ofNodes = await server.watch(`${nodes}?watch=true`, { headers: TABLE });
  const event = await server.post(events, { metadata: { name: 'bare' } });
  t.is(event.status, 201);
  t.deepEqual(event.body.involvedObject, {});
  t.is((await ofEvents.next())?.object.rows[0].cells[3], '');
  const node = await server.post(nodes, { metadata: { name: 'bare' } });
  t.is(node.status, 201);
  t.deepEqual(node.body.spec, { drivers: [] });
  t.deepEqual((await ofNodes.next())?.object.rows[0].cells.slice(0, 2), ['bare', 0]);
  const inGroup = '/apis/events.k8s.io/v1/namespaces/default/events/bare';
  const patched = await server.patch(inGroup, { metadata: { labels: { a: 'b' } } });
  t.false('involvedObject' in patched.body);
  t.is((await ofEvents.next())?.type, 'MODIFIED');
  ofEvents.end();
  ofNodes.end();
});

test('a watch that cannot show its first objects tells so', async (t) => {
  const dir = temporaryFolder(t);
  const store = openEmbeddedStore({ dir });
  t.teardown(() => store.close());
  const server = await startTestServer(t, { store });
  const drivers = '/apis/storage.k8s.io/v1/csidrivers';
  const start = (await server.get(drivers)).body.metadata.resourceVersion as string;
  const broken = { metadata: { name: 'broken' }, spec: { tokenRequests: 5 } };
  const value = Buffer.from(JSON.stringify(broken));
  await store.txn({ success: [{ type: 'put', key: '/registry/csidrivers/broken', value }] });
  for (const query of ['watch=true', `watch=true&resourceVersion=${start}`]) {
    const watch = await server.watch(`${drivers}?${query}`, { headers: TABLE });
    const line = await watch.next();
    t.is(line?.type, 'ERROR');
    t.like(line?.object, {
      code: 500,
      reason: 'InternalError',
      message: 'Internal error occurred: spec.tokenRequests.map is not a function',
    });
    t.is(await watch.next(), undefined);
  }
});

test('after a restart versions go on, and a watch from before must list again', async (t) => {
  const server = await startTestServer(t);
  await server.post(CONFIG_MAPS, configMap('a'));
  const old = await revisionOf(server);
  await server.post(CONFIG_MAPS, configMap('b'));
  const newest = await revisionOf(server);
  await server.restart();
  t.is(await revisionOf(server), newest);
  const watch = await server.watch(`${CONFIG_MAPS}?watch=true&resourceVersion=${old}`);
  const line = await watch.next();
  t.is(line?.type, 'ERROR');
  t.like(line?.object, { kind: 'Status', code: 410, reason: 'Expired' });
  t.regex(line?.object.message, /^too old resource version: \d+ \(\d+\)$/);
  const { body } = await server.post(CONFIG_MAPS, configMap('c'));
  t.true(Number(body.metadata.resourceVersion) > Number(newest));
});

test('a server that stops ends its watches', async (t) => {
  const server = await startTestServer(t);
  const watch = await server.watch(`${CONFIG_MAPS}?watch=true`);
  const ended = watch.next().then(
    () => true,
    () => true,
  );
  await server.restart();
  t.true(await ended);
});

test('a table or metadata come in the version of meta.k8s.io that was asked for', async (t) => {
  const server = await startTestServer(t);
  for (const name of ['a', 'b']) await server.post(CONFIG_MAPS, { metadata: { name } });
  const ask = (as: string, version: string) => ({
    headers: { accept: `application/json;as=${as};v=${version};g=meta.k8s.io` },
  });
  for (const version of ['v1', 'v1beta1']) {
    const apiVersion = `meta.k8s.io/${version}`;
    const table = await server.get(CONFIG_MAPS, ask('Table', version));
    t.like(table.body, { apiVersion, kind: 'Table' });
    t.is(table.body.rows[0].object.apiVersion, apiVersion);
    const list = await server.get(CONFIG_MAPS, ask('PartialObjectMetadataList', version));
    t.is(list.body.apiVersion, apiVersion);
    t.is(list.body.items[0].apiVersion, apiVersion);
    const one = await server.get(`${CONFIG_MAPS}/a`, ask('PartialObjectMetadata', version));
    t.is(one.body.apiVersion, apiVersion);
    const tables = await server.watch(`${CONFIG_MAPS}?watch=true`, ask('Table', version));
    const heads = [(await tables.next())?.object, (await tables.next())?.object];
    const [first, second] = heads.map(({ columnDefinitions }) => columnDefinitions);
    t.deepEqual([first, second], [table.body.columnDefinitions, null]);
    tables.end();
    for (const as of ['Table', 'PartialObjectMetadata']) {
      const query =
        'watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
      const watch = await server.watch(
        `${CONFIG_MAPS}?${query}&fieldSelector=metadata.name=a`,
        ask(as, version),
      );
      t.like(await watch.next(), { type: 'ADDED', object: { apiVersion } });
      t.like(await watch.next(), { type: 'BOOKMARK', object: { apiVersion } });
      watch.end();
    }
  }
});
