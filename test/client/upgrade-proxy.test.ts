import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { answerOnSocket, proxyUpgrade, UpgradeDialError } from '../../client/upgrade-proxy.ts';
import type { UpgradeProxyOptions } from '../../client/upgrade-proxy.ts';
import { until } from '../environment.ts';

const upgradeRequest = (path = '/exec', headers = '') =>
  `POST ${path} HTTP/1.1\r\nHost: front\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n${headers}Content-Length: 0\r\n\r\n`;

const upgradeAnswer =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Kept: yes\r\n\r\n';

test('bytes of both sides pass, with what came together with the heads', async (t) => {
  const target = await listening(t, (_request, socket, head) => {
    socket.write(`${upgradeAnswer}early:${head.toString()}`);
    socket.pipe(socket);
  });
  const front = await proxyTo(t, target);
  const client = connect(front.port, '127.0.0.1');
  client.write(`${upgradeRequest()}first`);
  const head = await readUntil(client, 'first');
  t.regex(
    head,
    /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY\/3\.1\r\nX-Kept: yes\r\n/,
  );
  client.write('second');
  t.regex(await readUntil(client, 'second'), /second$/);
  client.destroy();
  t.deepEqual(await front.finished, { statusCode: 101 });
});

test('credentials stay behind, other headers and the query travel on, replacements win', async (t) => {
  const seen = Promise.withResolvers<{ url: string | undefined; headers: NodeJS.Dict<string[]> }>();
  const target = await listening(t, (request, socket) => {
    seen.resolve({ url: request.url, headers: request.headersDistinct });
    socket.end(upgradeAnswer);
  });
  const front = await proxyTo(t, target, { headers: { 'X-Replaced': 'by proxy', 'x-taken': undefined } });
  const client = connect(front.port, '127.0.0.1');
  const token = 'base64url.bearer.authorization.k8s.io.c2VjcmV0';
  client.write(
    upgradeRequest(
      '/ignored',
      `Authorization: Bearer s\r\nCookie: a=b\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\nX-Stream-Protocol-Version: v1.channel.k8s.io\r\nX-Replaced: a\r\nX-Taken: b\r\nSec-WebSocket-Protocol: v5.channel.k8s.io, ${token}\r\n`,
    ),
  );
  const { url, headers } = await seen.promise;
  t.is(url, '/target?command=ls&command=-l');
  t.deepEqual(headers['x-stream-protocol-version'], ['v4.channel.k8s.io', 'v1.channel.k8s.io']);
  t.deepEqual(headers['sec-websocket-protocol'], ['v5.channel.k8s.io']);
  t.deepEqual(headers['x-replaced'], ['by proxy']);
  t.deepEqual(
    [headers['authorization'], headers['cookie'], headers['x-taken']],
    [undefined, undefined, undefined],
  );
  await front.finished;
});

test('a refusal is passed whole and the connection is closed after it', async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(404, 'Not Found', { 'content-type': 'application/json' });
    response.write('{"kind":');
    response.end('"Status"}');
  });
  const front = await proxyTo(t, await serve(t, server));
  const client = connect(front.port, '127.0.0.1');
  client.write(upgradeRequest());
  const answer = await readAll(client);
  t.regex(answer, /^HTTP\/1\.1 404 Not Found\r\ncontent-type: application\/json\r\n/);
  t.regex(answer, /Connection: close\r\n\r\n\{"kind":"Status"\}$/);
  t.notRegex(answer, /transfer-encoding/i);
  t.deepEqual(await front.finished, { statusCode: 404 });
});

test('a target that is not there is an UpgradeDialError, and the client can still be answered', async (t) => {
  const unused = await serve(t, createServer());
  await unused.close();
  const front = await proxyTo(t, unused, {}, (error, socket) => {
    t.true(error instanceof UpgradeDialError);
    answerOnSocket(socket, { statusCode: 500, statusMessage: 'Internal Server Error', body: String(error) });
  });
  const client = connect(front.port, '127.0.0.1');
  client.write(upgradeRequest());
  const answer = await readAll(client);
  t.regex(
    answer,
    /^HTTP\/1\.1 500 Internal Server Error\r\nContent-Length: \d+\r\nConnection: close\r\n\r\n/,
  );
  t.true(answer.endsWith(`error dialing backend: connect ECONNREFUSED 127.0.0.1:${unused.port}`));
});

test('64 MiB pass a slow reader unchanged without being held in memory', async (t) => {
  const total = 64 * 1024 * 1024;
  const sent = createHash('sha256');
  let socketToTarget: Duplex | undefined;
  const target = await listening(t, (_request, socket) => {
    socketToTarget = socket;
    socket.write(upgradeAnswer);
    void send(socket, total, (chunk) => sent.update(chunk)).then(() => socket.end());
  });
  const front = await proxyTo(t, target);
  const client = connect(front.port, '127.0.0.1');
  client.write(upgradeRequest());
  const head = await readUntil(client, '\r\n\r\n');
  const body = Buffer.from(head.slice(head.indexOf('\r\n\r\n') + 4), 'latin1');
  await until('the target cannot take more', () => (socketToTarget?.writableLength ?? 0) > 0);
  t.true(front.buffered() < 8 * 1024 * 1024);
  const received = createHash('sha256').update(body);
  let length = body.length;
  for await (const chunk of client as AsyncIterable<Buffer>) {
    received.update(chunk);
    length += chunk.length;
  }
  t.is(length, total);
  t.is(received.digest('hex'), sent.digest('hex'));
  await front.finished;
});

test('when the client goes away the target is closed, and the other way round', async (t) => {
  const closed = Promise.withResolvers<void>();
  const target = await listening(t, (_request, socket) => {
    socket.on('error', () => undefined).once('close', () => closed.resolve());
    socket.resume();
    socket.write(upgradeAnswer);
    socket.once('end', () => socket.end());
  });
  const front = await proxyTo(t, target);
  const client = connect(front.port, '127.0.0.1');
  client.write(upgradeRequest());
  await readUntil(client, '\r\n\r\n');
  client.resetAndDestroy();
  await closed.promise;
  await front.finished;
  t.pass();
});

test('a target that reads nothing learns that the client has gone, after what it still takes', async (t) => {
  let isClosed = false;
  const target = await listening(t, (_request, socket) => {
    socket.write(upgradeAnswer);
    const pings = setInterval(() => socket.write('ping'), 50); // without them nobody could learn it
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearInterval(pings);
      isClosed = true;
    });
    t.teardown(() => socket.destroy());
  });
  const front = await proxyTo(t, target, { lingerMs: 200 });
  const client = connect(front.port, '127.0.0.1');
  client.write(upgradeRequest());
  await readUntil(client, '\r\n\r\n');
  client.resume();
  const block = Buffer.alloc(1024 * 1024);
  while (client.write(block) || (await drained(client)));
  client.destroy();
  await front.finished;
  t.true(await until('the target has closed', () => isClosed));
});

/** False when it takes no more. */
const drained = (socket: Socket): Promise<boolean> =>
  once(socket, 'drain', { signal: AbortSignal.timeout(500) }).then(
    () => true,
    () => false,
  );

interface Listening {
  port: number;
  close: () => Promise<void>;
}

function listening(
  t: ExecutionContext,
  onUpgrade: (
    request: { url?: string | undefined; headersDistinct: NodeJS.Dict<string[]> },
    socket: Duplex,
    head: Buffer,
  ) => void,
): Promise<Listening> {
  const server = createServer();
  server.on('upgrade', onUpgrade);
  return serve(t, server);
}

async function serve(t: ExecutionContext, server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  t.teardown(close);
  return { port, close };
}

async function proxyTo(
  t: ExecutionContext,
  target: Listening,
  options: Partial<UpgradeProxyOptions> = {},
  onError?: (error: unknown, socket: Duplex) => void,
) {
  const finished = Promise.withResolvers<{ statusCode: number } | undefined>();
  let clientSide: Duplex | undefined;
  const url = `http://127.0.0.1:${target.port}/target?command=ls&command=-l`;
  const { port } = await listening(t, (request, socket, head) => {
    clientSide = socket;
    proxyUpgrade({
      request: request as UpgradeProxyOptions['request'],
      socket,
      head,
      target: { url },
      ...options,
    }).then(finished.resolve, (error: unknown) => {
      onError?.(error, socket);
      finished.resolve(undefined);
    });
  });
  return { port, finished: finished.promise, buffered: () => clientSide?.writableLength ?? 0 };
}

async function send(socket: Duplex, total: number, tap: (chunk: Buffer) => void) {
  for (let sent = 0; sent < total; sent += 65_536) {
    const chunk = randomBytes(65_536);
    tap(chunk);
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
}

function readUntil(socket: Socket, mark: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  let text = '';
  const onData = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    if (!text.includes(mark)) return;
    socket.off('data', onData).pause();
    resolve(text);
  };
  socket.once('close', () => reject(new Error(`closed before ${mark}: ${text}`)));
  socket.on('data', onData).resume();
  return promise;
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1');
  return text;
}
