import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import test from 'ava';
import { StatusError } from '../../api/status.ts';
import { ConnectionError } from '../../client/connection-error.ts';
import { isAlreadyExists, isConflict, isExpired, isNotFound } from '../../client/errors.ts';
import { configMaps } from '../../client/resources.ts';
import { createClient } from '../../client/rest.ts';
import { startFakeApiServer } from './fake-api-server.ts';
import { until } from '../environment.ts';

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const collection = '/api/v1/namespaces/default/configmaps';
const a = { name: 'a', namespace: 'default' };

test('creates, reads, updates, patches, lists and deletes', async (t) => {
  const server = await startFakeApiServer();
  const client = server.client();
  const resource = client.resource(configMaps);
  const created = await resource.create({ object: configMap('a', { x: '1' }) });
  t.truthy(created.metadata?.uid);
  t.deepEqual((await resource.get(a)).data, { x: '1' });
  const updated = await resource.update({ object: { ...created, data: { x: '2' } } });
  t.deepEqual(updated.data, { x: '2' });
  t.true(isConflict(await t.throwsAsync(resource.update({ object: created }))));
  t.true(isAlreadyExists(await t.throwsAsync(resource.create({ object: configMap('a') }))));
  const patched = await resource.patch({ ...a, type: 'merge', patch: { data: { x: '3' } } });
  t.deepEqual(patched.data, { x: '3' });
  const list = await resource.list({ namespace: 'default' });
  t.deepEqual(
    list.items.map(({ metadata }) => metadata?.name),
    ['a'],
  );
  await resource.delete(a);
  const error = await t.throwsAsync(resource.get(a), { instanceOf: StatusError });
  t.true(isNotFound(error));
  t.is(server.sessionCount(), 1);
  client.close();
  await server.stop();
});

test('asks with the right paths, queries, content types and token', async (t) => {
  const server = await startFakeApiServer();
  const seen: string[] = [];
  server.setIntercept((request) => {
    const type = request.headers['content-type'] ?? '';
    seen.push(`${request.method} ${request.url} ${type} ${request.headers.authorization ?? ''}`.trim());
    return { status: 200, body: { kind: 'ConfigMapList', apiVersion: 'v1', metadata: {}, items: [{}] } };
  });
  let token = 'one';
  const client = server.client({ token: () => token });
  const resource = client.resource(configMaps);
  const list = await resource.list({ labelSelector: 'a in (b,c)', limit: 5 });
  t.deepEqual(list.items, [{ apiVersion: 'v1', kind: 'ConfigMap' }]);
  token = 'two';
  for (const type of ['json', 'merge', 'strategic'] as const) {
    await resource.patch({ ...a, type, patch: [], dryRun: true });
  }
  await resource.patch({
    ...a,
    type: 'apply',
    patch: {},
    fieldManager: 'me',
    force: true,
    subresource: 'status',
  });
  await resource.deleteCollection({ namespace: 'default', labelSelector: 'x=y', limit: 5 });
  await client.resource({ group: 'apps', version: 'v1', resource: 'things' }).get({ name: 'a/b' });
  t.deepEqual(seen, [
    'GET /api/v1/configmaps?labelSelector=a+in+%28b%2Cc%29&limit=5  Bearer one',
    `PATCH ${collection}/a?dryRun=All application/json-patch+json Bearer two`,
    `PATCH ${collection}/a?dryRun=All application/merge-patch+json Bearer two`,
    `PATCH ${collection}/a?dryRun=All application/strategic-merge-patch+json Bearer two`,
    `PATCH ${collection}/a/status?fieldManager=me&force=true application/apply-patch+yaml Bearer two`,
    `DELETE ${collection}?labelSelector=x%3Dy&limit=5 application/json Bearer two`,
    'GET /apis/apps/v1/things/a%2Fb  Bearer two',
  ]);
  client.close();
  await server.stop();
});

test('waits as Retry-After asks and tries again', async (t) => {
  const server = await startFakeApiServer();
  let refusals = 2;
  server.setIntercept(() => {
    refusals -= 1;
    return refusals < 0 ? undefined : { status: 429, headers: { 'retry-after': '0' }, body: {} };
  });
  const client = server.client();
  await client.resource(configMaps).create({ object: configMap('a') });
  t.is(server.requests.length, 3);
  client.close();
  await server.stop();
});

test('an answer that is no Status becomes an error with its text', async (t) => {
  const server = await startFakeApiServer();
  server.setIntercept(() => ({ status: 502, body: 'bad gateway' }));
  const client = server.client();
  await t.throwsAsync(client.resource(configMaps).get(a), {
    instanceOf: StatusError,
    message: `GET ${collection}/a: the server answered 502: "bad gateway"`,
  });
  client.close();
  await server.stop();
});

test('reports warnings of the server', async (t) => {
  const server = await startFakeApiServer();
  const warning = '299 - "unknown field \\"spec.x\\""';
  server.setIntercept(() => ({ status: 200, headers: { warning }, body: {} }));
  const warnings: string[] = [];
  const client = server.client({ onWarning: (text) => warnings.push(text) });
  await client.resource(configMaps).get(a);
  t.deepEqual(warnings, ['unknown field "spec.x"']);
  client.close();
  await server.stop();
});

test('a refused connection is tried for about a second, then told', async (t) => {
  const server = await startFakeApiServer();
  const client = server.client();
  await client.resource(configMaps).create({ object: configMap('a') });
  await server.pause();
  await t.throwsAsync(client.resource(configMaps).get(a), {
    instanceOf: ConnectionError,
    message: /^connect to https:.*ECONNREFUSED/,
  });
  const answer = client.resource(configMaps).get(a);
  await server.resume();
  t.is((await answer).metadata?.name, 'a');
  client.close();
  await server.stop();
});

test('a client that is closed while it is refused makes no connection when it is not', async (t) => {
  const server = await startFakeApiServer();
  await server.pause();
  const client = server.client();
  const answer = client.resource(configMaps).get(a);
  const refused = connect({ host: '127.0.0.1', port: Number(new URL(client.server).port) });
  await t.throwsAsync(once(refused, 'connect'), { message: /ECONNREFUSED/ });
  client.close();
  await server.resume();
  await t.throwsAsync(answer, { instanceOf: ConnectionError });
  await until('no connection is left', () => server.sessionCount() === 0);
  await server.stop();
});

test('watches: events, bookmarks, abort, expiry', async (t) => {
  const server = await startFakeApiServer();
  const client = server.client();
  const resource = client.resource(configMaps);
  const abort = new AbortController();
  const seen: string[] = [];
  const watching = (async () => {
    const events = await resource.watch({ namespace: 'default', resourceVersion: '1', signal: abort.signal });
    for await (const { type, object } of events) seen.push(`${type} ${object.metadata?.name ?? ''}`);
  })();
  await until('the watch is there', () => server.watcherCount() === 1);
  server.put(`${collection}/a`, configMap('a'));
  server.put(`${collection}/a`, configMap('a', { big: 'x'.repeat(300_000) }));
  server.remove(`${collection}/a`);
  await until('three events', () => seen.length === 3);
  t.deepEqual(seen, ['ADDED a', 'MODIFIED a', 'DELETED a']);
  abort.abort();
  await watching;
  await until('the server saw the end', () => server.watcherCount() === 0);

  server.compact();
  const events = await resource.watch({ namespace: 'default', resourceVersion: '1' });
  t.true(isExpired(await t.throwsAsync(events.next())));
  client.close();
  await server.stop();
});

test('a watch whose connection breaks rejects with ConnectionError', async (t) => {
  const server = await startFakeApiServer();
  const client = server.client();
  const events = await client.resource(configMaps).watch({ namespace: 'default', resourceVersion: '1' });
  const next = events.next();
  server.dropConnections();
  await t.throwsAsync(next, { instanceOf: ConnectionError });
  client.close();
  await server.stop();
});

test('a hundred and fifty watches at once, on two connections', async (t) => {
  const server = await startFakeApiServer();
  const client = server.client();
  const resource = client.resource(configMaps);
  const abort = new AbortController();
  let seen = 0;
  const watches = await Promise.all(
    Array.from({ length: 150 }, () =>
      resource.watch({ namespace: 'default', resourceVersion: '1', signal: abort.signal }),
    ),
  );
  const reading = watches.map(async (events) => {
    for await (const event of events) if (event.type === 'ADDED') seen += 1;
  });
  server.put(`${collection}/a`, configMap('a'));
  await until('all have seen it', () => seen === 150);
  t.is(server.sessionCount(), 2);
  abort.abort();
  await Promise.all(reading);
  client.close();
  await server.stop();
});

test('a connection that is not made holds up nobody who leaves, nor a close', async (t) => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', () => resolve()));
  const { port } = silent.address() as AddressInfo;
  const client = createClient({ server: `https://127.0.0.1:${port}` });
  const leaving = new AbortController();
  const left = client.request({ method: 'GET', path: '/', signal: leaving.signal });
  const waiting = client.request({ method: 'GET', path: '/' });
  await until('the server has the connection', () => sockets.length === 1);
  leaving.abort(new Error('left'));
  await t.throwsAsync(left, { message: 'left' });
  client.close();
  await t.throwsAsync(waiting, { instanceOf: ConnectionError });
  for (const socket of sockets) socket.destroy();
  await new Promise<void>((resolve) => silent.close(() => resolve()));
});
