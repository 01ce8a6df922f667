import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import { createServer as createRawServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { connect as tlsConnect } from 'node:tls';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { skipUnless, until } from '../environment.ts';
import { makeDefaultAccount, podNamed, PODS, startTestServer } from './test-server.ts';
import type { TestServer } from './test-server.ts';

/** An address of this machine that isn't a loopback one, which no Pod may claim. */
const address = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ internal, family }) => family === 'IPv4' && !internal)?.address;

const proxied = (title: string, run: (t: ExecutionContext) => Promise<void>) =>
  test(title, async (t) => {
    if (skipUnless(t, address !== undefined, 'this machine has loopback addresses alone')) return;
    await run(t);
  });

interface Seen {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A Pod that serves HTTP: it tells of each request, and lets `answer` answer it. */
async function startPod(
  t: ExecutionContext,
  answer: (seen: Seen, response: ServerResponse) => void = (_seen, response) => response.end('hello'),
) {
  const seen: Seen[] = [];
  const service = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      seen.push(one);
      answer(one, response);
    });
  });
  return { seen, ...(await serve(t, service)) };
}

async function serve(t: ExecutionContext, service: Server) {
  await new Promise<void>((resolve) => service.listen(0, address, resolve));
  t.teardown(() => service.close());
  const { port } = service.address() as AddressInfo;
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  const containers = [
    { name: 'first', image: 'busybox' },
    { name: 'second', image: 'busybox', ports: [{ containerPort: port }] },
  ];
  await server.post(PODS, podNamed('web', { nodeName: 'node-1', containers }));
  const status = { podIP: address, podIPs: [{ ip: address }] };
  await server.patch(`${PODS}/web/status`, { status });
  return { server, port };
}

/** One request over HTTP/2, as client-go sends it. */
async function overHttp2(server: TestServer, path: string): Promise<{ status: number; text: string }> {
  const session = connect(server.url, { ca: server.authority.cert, ...server.admin });
  const stream = session.request({ ':path': path });
  const [headers] = (await once(stream, 'response')) as [{ ':status': number }];
  let text = '';
  for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString();
  session.close();
  return { status: headers[':status'], text };
}

proxied('the path and the query reach the Pod as they were written', async (t) => {
  const { server, seen, port } = await startPod(t);
  const get = async (id: string, rest: string) => {
    const { status, text } = await server.get(`${PODS}/${id}/proxy${rest}`);
    t.is(text, 'hello', `${id} ${rest} ${status}`);
    return seen.at(-1)?.url;
  };
  t.is(await get('web', '/a%20b/c%2Fd/?q=1&q=a%20b'), '/a%20b/c%2Fd/?q=1&q=a%20b');
  t.is(await get('web', '/'), '/');
  t.is(await get(`web:${port}`, '/x'), '/x');
  t.is(await get(`http:web:${port}`, '/x'), '/x');
  t.is(await get(`http:web:`, '/x'), '/x');
  const bare = await server.get(`${PODS}/web/proxy?a=b`);
  t.is(bare.status, 301);
  t.is(bare.headers.location, `${PODS}/web/proxy/?a=b`);
});

proxied('methods, bodies and headers are carried in both directions', async (t) => {
  const { server, seen } = await startPod(t, ({ url }, response) => {
    response.setHeader('set-cookie', ['a=1', 'b=2']);
    response.setHeader('connection', 'x-mine');
    response.setHeader('x-mine', 'only for this connection');
    if (url === '/login') response.writeHead(302, { location: '/home' });
    response.end('{}');
  });
  const options = await server.call('OPTIONS', `${PODS}/web/proxy/`);
  t.is(options.status, 200);
  t.is(seen.at(-1)?.method, 'OPTIONS');
  const posted = await server.call('POST', `${PODS}/web/proxy/login`, {
    body: 'x=1',
    headers: { cookie: 'c=3', 'impersonate-user': 'kubernetes-admin', 'impersonate-group': 'system:masters' },
  });
  t.is(posted.status, 302);
  t.is(posted.headers.location, `${PODS}/web/proxy/home`);
  t.deepEqual(posted.headers['set-cookie'], ['a=1', 'b=2']);
  t.is(posted.headers['x-mine'], undefined);
  t.is(seen.at(-1)?.body, 'x=1');
  t.is(seen.at(-1)?.headers.cookie, 'c=3');
  t.is(seen.at(-1)?.headers['impersonate-user'], undefined);
});

proxied('a Pod is told who asked for which path, and says nothing of other web pages', async (t) => {
  const { server, seen } = await startPod(t, (_seen, response) => {
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('access-control-allow-credentials', 'true');
    response.setHeader('access-control-expose-headers', 'x-a');
    response.end();
  });
  const { headers } = await server.get(`${PODS}/web/proxy/a%20b/?q=1`, {
    headers: {
      'x-forwarded-for': '10.1.1.1',
      'x-forwarded-uri': '/elsewhere',
      connection: 'x-forwarded-uri',
    },
  });
  t.like(seen.at(-1)?.headers, {
    'x-forwarded-uri': `${PODS}/web/proxy/a%20b/`,
    'x-forwarded-for': '10.1.1.1, 127.0.0.1',
  });
  t.is(headers['access-control-allow-origin'], undefined);
  t.is(headers['access-control-allow-credentials'], undefined);
  t.is(headers['access-control-expose-headers'], 'x-a');
  await overHttp2(server, `${PODS}/web/proxy/`);
  t.is(seen.at(-1)?.headers['x-forwarded-for'], '127.0.0.1');
});

proxied('a body without a length stays the body of its request', async (t) => {
  const { server, seen } = await startPod(t);
  const session = connect(server.url, { ca: server.authority.cert, ...server.admin });
  t.teardown(() => session.destroy());
  const stream = session.request({ ':method': 'GET', ':path': `${PODS}/web/proxy/x` }, { endStream: false });
  const smuggled = 'POST /run HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
  stream.end(smuggled);
  stream.resume();
  await once(stream, 'end');
  t.deepEqual(
    seen.map(({ method, body }) => [method, body]),
    [['GET', smuggled]],
  );
});

proxied('a body whose length Connection takes away stays the body of its request', async (t) => {
  const { server, seen } = await startPod(t);
  const smuggled = 'POST /run HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
  const head = [
    `GET ${PODS}/web/proxy/x HTTP/1.1`,
    'host: x',
    `content-length: ${smuggled.length}`,
    'connection: content-length, close',
  ];
  const { hostname, port } = new URL(server.url);
  const socket = tlsConnect({
    host: hostname,
    port: Number(port),
    ca: server.authority.cert,
    ...server.admin,
  });
  t.teardown(() => socket.destroy());
  socket.write(`${head.join('\r\n')}\r\n\r\n${smuggled}`);
  socket.resume();
  await once(socket, 'end');
  t.deepEqual(
    seen.map(({ method, body }) => [method, body]),
    [['GET', smuggled]],
  );
});

proxied('a status that HTTP/2 does not know is a failure of the Pod, not of the server', async (t) => {
  const raw = createRawServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () => socket.end('HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n'));
  });
  const { server } = await serve(t, raw);
  const { status, text } = await overHttp2(server, `${PODS}/web/proxy/`);
  t.is(status, 503);
  t.regex(text, /error trying to reach service: malformed HTTP status code \\"999\\"/);
  t.is((await server.get('/healthz')).text, 'ok');
});

proxied('an answer that switches protocols ends the request', async (t) => {
  const raw = createRawServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', () =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    );
  });
  const { server } = await serve(t, raw);
  t.is((await server.get(`${PODS}/web/proxy/`)).status, 503);
});

proxied('a client that leaves takes its request to the Pod along', async (t) => {
  let open = 0;
  const { server } = await startPod(t, (_seen, response) => {
    open++;
    response.once('close', () => open--);
    response.write('and so on');
  });
  const response = await server.open('GET', `${PODS}/web/proxy/`);
  t.is(open, 1);
  response.destroy();
  await until('the request to the Pod ended', () => open === 0);
});

test('places that cannot be proxied to', async (t) => {
  const server = await startTestServer(t);
  await makeDefaultAccount(server);
  await server.post(PODS, podNamed('web', { nodeName: 'node-1' }));
  const refused = async (path: string) => {
    const { status, body } = await server.get(path);
    return [status, body.message as string];
  };
  t.deepEqual(await refused(`${PODS}/web/proxy/`), [400, 'address not allowed']);
  t.deepEqual(await refused(`${PODS}/ftp:web:80/proxy/`), [400, 'invalid pod request "ftp:web:80"']);
  t.deepEqual(await refused(`${PODS}/web:http/proxy/`), [400, 'invalid pod request "web:http"']);
  t.deepEqual(await refused(`${PODS}/gone:80/proxy/`), [404, 'pods "gone" not found']);
  const nodes = '/api/v1/nodes';
  await server.post(nodes, { metadata: { name: 'node-1' } });
  await server.patch(`${nodes}/node-1/status`, {
    status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }] },
  });
  const evil = 'node-1:10250@example.com';
  t.deepEqual(await refused(`${nodes}/${evil}/proxy/`), [400, `invalid node request "${evil}"`]);
  t.deepEqual(await refused(`${nodes}/node-1:22/proxy/`), [400, 'address not allowed']);
});
