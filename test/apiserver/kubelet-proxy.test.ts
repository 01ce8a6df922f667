import { createServer } from 'node:https';
import type { Server } from 'node:https';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';
import type { TestServer } from './test-server.ts';

/** A kubelet that answers logs, echoes what an exec connection sends, and knows who asks. */
async function startKubelet(t: ExecutionContext, server: TestServer) {
  const serving = await server.authority.issue('kubelet', {
    usage: 'server',
    commonName: 'system:node:node-1',
    ipAddresses: ['127.0.0.1'],
  });
  const seen: { url: string; user: string }[] = [];
  const served = new WeakSet<object>();
  let dropping = false;
  const kubelet: Server = createServer(
    { ...serving, ca: server.authority.cert, requestCert: true },
    (request, response) => {
      seen.push({
        url: request.url ?? '',
        user: (request.socket as TLSSocket).getPeerCertificate().subject.CN as string,
      });
      if (dropping && served.has(request.socket)) return void request.socket.destroy();
      served.add(request.socket);
      if (request.url?.startsWith('/containerLogs/default/web/broken') === true) {
        response.writeHead(400).end('container "broken" in pod "web" is waiting to start');
        return;
      }
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('first\n');
      response.end('second\n');
    },
  );
  kubelet.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    seen.push({ url: request.url ?? '', user: '' });
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    if (head.length > 0) socket.write(head);
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => kubelet.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    kubelet.closeAllConnections();
    kubelet.close();
  });
  return {
    seen,
    port: (kubelet.address() as AddressInfo).port,
    /** From now on a connection that has served a request is closed when it brings another. */
    dropKept: () => void (dropping = true),
  };
}

async function podOnNode(t: ExecutionContext) {
  const server = await startTestServer(t);
  const kubelet = await startKubelet(t, server);
  await makeDefaultAccount(server);
  await server.post('/api/v1/nodes', { metadata: { name: 'node-1' } });
  await server.patch('/api/v1/nodes/node-1/status', {
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
    },
  });
  const containers = ['main', 'broken'].map((name) => ({ name, image: 'busybox' }));
  await server.post(PODS, podNamed('web', { nodeName: 'node-1', containers }));
  return { server, kubelet };
}

test("logs are the kubelet's answer, asked with the server's own certificate", async (t) => {
  const { server, kubelet } = await podOnNode(t);
  const logs = await server.get(
    `${PODS}/web/log?container=main&follow=True&previous=0&tailLines=10&pretty=true`,
  );
  t.is(logs.text, 'first\nsecond\n');
  t.deepEqual(kubelet.seen, [
    { url: '/containerLogs/default/web/main?tailLines=10&follow=true', user: 'kubernetes-admin' },
  ]);
  const wrong = await server.get(`${PODS}/web/log?container=main&tailLines=-1&limitBytes=0`);
  t.is(wrong.status, 422);
  t.is(
    wrong.body.message,
    'PodLogOptions "web" is invalid: [tailLines: Invalid value: -1: must be greater than or equal to 0, limitBytes: Invalid value: 0: must be greater than 0]',
  );
  t.is((await server.get(`${PODS}/web/log?container=main&sinceSeconds=soon`)).status, 400);
  const refused = await server.get(`${PODS}/web/log?container=broken`);
  t.is(refused.status, 400);
  t.is(refused.body.message, 'container "broken" in pod "web" is waiting to start');
  const unnamed = await server.get(`${PODS}/web/log`);
  t.is(unnamed.body.message, 'a container name must be specified for pod web, choose one of: [main broken]');
  const other = await server.get(`${PODS}/web/log?container=other`);
  t.is(other.body.message, 'container other is not valid for pod web');
});

test('without a name the only regular container is meant', async (t) => {
  const { server, kubelet } = await podOnNode(t);
  const initContainers = [{ name: 'first', image: 'busybox' }];
  await server.post(PODS, podNamed('one', { nodeName: 'node-1', initContainers }));
  t.is((await server.get(`${PODS}/one/log`)).status, 200);
  t.is(kubelet.seen.at(-1)?.url, '/containerLogs/default/one/main');
  const containers = ['main', 'other'].map((name) => ({ name, image: 'busybox' }));
  await server.post(PODS, podNamed('two', { nodeName: 'node-1', initContainers, containers }));
  const unnamed = await server.get(`${PODS}/two/log`);
  t.is(
    unnamed.body.message,
    'a container name must be specified for pod two, choose one of: [first main other]',
  );
});

test('a kept connection that the kubelet has closed meanwhile is replaced', async (t) => {
  const { server, kubelet } = await podOnNode(t);
  t.is((await server.get(`${PODS}/web/log?container=main`)).text, 'first\nsecond\n');
  kubelet.dropKept();
  t.is((await server.get(`${PODS}/web/log?container=main`)).text, 'first\nsecond\n');
  t.is(kubelet.seen.length, 3, 'the second request came twice');
});

test('a Pod without a node, and a node without a kubelet', async (t) => {
  const { server } = await podOnNode(t);
  await server.post(PODS, podNamed('waiting'));
  const waiting = await server.get(`${PODS}/waiting/log`);
  t.is(waiting.status, 204);
  t.is(waiting.text, '');
  const unknown = await server.get(`${PODS}/waiting/log?container=other`);
  t.is(unknown.status, 400);
  t.is(unknown.body.message, 'container other is not valid for pod waiting');
  const exec = (container: string) =>
    server.post(`${PODS}/waiting/exec?container=${container}&command=true`, {});
  t.is((await exec('other')).body.message, 'container other is not valid for pod waiting');
  t.is((await exec('main')).body.message, 'pod waiting does not have a host assigned');
  await server.post('/api/v1/nodes', { metadata: { name: 'node-2' } });
  await server.patch('/api/v1/nodes/node-2/status', {
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: 1 } },
    },
  });
  await server.post(PODS, podNamed('lost', { nodeName: 'node-2' }));
  const lost = await server.get(`${PODS}/lost/log`);
  t.is(lost.status, 500);
  t.regex(
    lost.body.message,
    /Get "https:\/\/127\.0\.0\.1:1\/containerLogs\/default\/lost\/main": .*ECONNREFUSED/,
  );
});

/** Opens an upgraded connection; resolves with the socket, or with the refusal. */
function upgrade(
  server: TestServer,
  path: string,
  as = server.admin,
): Promise<Duplex | { status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpsRequest(`${server.url}${path}`, {
      method: 'POST',
      ca: server.authority.cert,
      ...as,
      headers: {
        connection: 'Upgrade',
        upgrade: 'SPDY/3.1',
        'x-stream-protocol-version': 'v4.channel.k8s.io',
      },
    });
    outgoing.once('upgrade', (_response, socket) => resolve(socket));
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      );
    });
    outgoing.once('error', reject);
    outgoing.end();
  });
}

test('exec connections are carried as bytes', async (t) => {
  const { server, kubelet } = await podOnNode(t);
  const socket = await upgrade(
    server,
    `${PODS}/web/exec?container=main&command=ls&command=-l&stdout=true&stdin=True&tty=1&stderr=False`,
  );
  if (!('write' in socket)) return t.fail(JSON.stringify(socket));
  const echoed = new Promise<string>((resolve) =>
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  socket.write('ping');
  t.is(await echoed, 'ping');
  t.deepEqual(kubelet.seen, [
    { url: '/exec/default/web/main?input=1&output=1&tty=1&command=ls&command=-l', user: '' },
  ]);
  socket.destroy();
});

test('exec needs the right to it, and an upgrade', async (t) => {
  const { server } = await podOnNode(t);
  const jane = await server.identity('jane');
  const refused = await upgrade(server, `${PODS}/web/exec?container=main&command=ls`, jane);
  t.like(refused, { status: 403 });
  t.regex('text' in refused ? refused.text : '', /User \\"jane\\" cannot create resource \\"pods\/exec\\"/);
  const missing = await upgrade(server, `${PODS}/nothing/exec?command=ls`);
  t.like(missing, { status: 404 });
  const plain = await server.post(`${PODS}/web/exec?container=main&command=ls`, undefined);
  t.is(plain.status, 400);
  t.is(plain.body.message, 'Upgrade request required');
});

/** The messages of a WebSocket until it is closed, or the status of the refusal. */
function messagesOf(
  server: TestServer,
  path: string,
  { protocols, as = server.admin }: { protocols: string[]; as?: typeof server.admin },
) {
  const { promise, resolve, reject } = Promise.withResolvers<{
    protocol?: string;
    messages?: string[];
    isBinary?: boolean[];
    closeCode?: number;
    status?: number;
  }>();
  const webSocket = new WebSocket(`${server.url.replace('https', 'wss')}${path}`, protocols, {
    ca: server.authority.cert,
    ...as,
  });
  const messages: string[] = [];
  const isBinary: boolean[] = [];
  webSocket.on('message', (data: Buffer, binary) => {
    messages.push(data.toString());
    isBinary.push(binary);
  });
  webSocket.on('close', (closeCode) =>
    resolve({ protocol: webSocket.protocol, messages, isBinary, closeCode }),
  );
  webSocket.on('unexpected-response', (_request, response) => {
    response.resume();
    resolve({ status: response.statusCode ?? 0 });
  });
  webSocket.on('error', reject);
  return promise;
}

test('a log comes in the messages of a WebSocket', async (t) => {
  const { server, kubelet } = await podOnNode(t);
  const path = `${PODS}/web/log?container=main&tailLines=2`;
  for (const protocols of [['binary.k8s.io'], []]) {
    const { messages = [], ...rest } = await messagesOf(server, path, { protocols });
    t.is(messages[0], '', 'an empty one says that the connection stands');
    t.is(messages.join(''), 'first\nsecond\n');
    t.deepEqual([...new Set(rest.isBinary)], [true]);
    t.is(rest.protocol, protocols[0] ?? '');
    t.is(rest.closeCode, 1000);
  }
  t.is(kubelet.seen[0]?.url, '/containerLogs/default/web/main?tailLines=2');
  const encoded = await messagesOf(server, path, { protocols: ['unknown', 'base64.binary.k8s.io'] });
  t.is(encoded.protocol, 'base64.binary.k8s.io');
  t.deepEqual([...new Set(encoded.isBinary)], [false]);
  t.is(encoded.messages?.map((one) => Buffer.from(one, 'base64').toString()).join(''), 'first\nsecond\n');
});

test('a log that cannot be had refuses the WebSocket', async (t) => {
  const { server } = await podOnNode(t);
  const protocols = ['binary.k8s.io'];
  t.is((await messagesOf(server, `${PODS}/web/log?container=broken`, { protocols })).status, 400);
  t.is((await messagesOf(server, `${PODS}/none/log`, { protocols })).status, 404);
  const as = await server.identity('jane');
  t.is((await messagesOf(server, `${PODS}/web/log?container=main`, { protocols, as })).status, 403);
  const other = { protocols: ['other.k8s.io'] };
  t.is((await messagesOf(server, `${PODS}/web/log?container=main`, other)).status, 403);
});

test("a node's own API is proxied", async (t) => {
  const { server, kubelet } = await podOnNode(t);
  const answer = await server.get('/api/v1/nodes/node-1/proxy/stats/summary?only=cpu');
  t.is(answer.text, 'first\nsecond\n');
  t.is(kubelet.seen[0]?.url, '/stats/summary?only=cpu');
  await server.get(`/api/v1/nodes/https:node-1:${kubelet.port}/proxy/logs/a%20b/`);
  t.is(kubelet.seen[1]?.url, '/logs/a%20b/');
});
