import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { SpdyConnection } from '../../../runtime/streaming/spdy/connection.ts';
import { startStreamingServer } from '../../../runtime/streaming/server.ts';
import { until } from '../../environment.ts';
import { createHostRuntime } from './host-runtime.ts';
import { connectSpdy, textOf } from './spdy-client.ts';
import { connectWebSocket } from './websocket-client.ts';

/** A server that says back what it got once the client has half-closed, so that half-closes must pass both ways. */
async function podServer(
  t: ExecutionContext,
  onConnection: (socket: Socket) => void = sayBack,
): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

const sayBack = (socket: Socket) => {
  void textOf(socket).then((text) => socket.end(`got ${text}`));
};

async function forwarding(t: ExecutionContext, port: number[] = []) {
  const server = await startStreamingServer({ address: '127.0.0.1', runtime: createHostRuntime() });
  t.teardown(() => server.stop());
  return server.getPortForwardUrl({ podSandboxId: 'sandbox', port });
}

/** Opens the pair of streams for one connection, as client-go does. */
function openPair(connection: SpdyConnection, { port, requestId }: { port: number; requestId?: number }) {
  const common = { port: String(port), ...(requestId === undefined ? {} : { requestid: String(requestId) }) };
  const error = connection.openStream({ streamtype: 'error', ...common });
  error.end();
  return { error, data: connection.openStream({ streamtype: 'data', ...common }) };
}

const protocol = 'portforward.k8s.io';

async function spdy(t: ExecutionContext): Promise<SpdyConnection> {
  const { connection } = await connectSpdy(await forwarding(t), [protocol]);
  if (connection === undefined) throw new Error('not upgraded');
  return connection;
}

test('many connections at once, half-closes, silence on the error streams', async (t) => {
  const port = await podServer(t);
  const connection = await spdy(t);
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  const answers = await Promise.all(
    numbers.map(async (number) => {
      const { data, error } = openPair(connection, { port, requestId: number });
      data.end(`number ${number}`);
      return Promise.all([textOf(data), textOf(error)]);
    }),
  );
  t.deepEqual(
    answers,
    numbers.map((number) => [`got number ${number}`, '']),
  );
  connection.close();
  await connection.closed;
});

test('32 MiB pass', async (t) => {
  const total = 32 * 1024 * 1024;
  const port = await podServer(t, (socket) => socket.end(Buffer.alloc(total, 'x')));
  const connection = await spdy(t);
  const { data } = openPair(connection, { port, requestId: 0 });
  data.end();
  let length = 0;
  for await (const chunk of data as AsyncIterable<Buffer>) length += chunk.length;
  t.is(length, total);
  connection.close();
  await connection.closed;
});

test('nobody listens on the port: the words on the error stream', async (t) => {
  const port = await podServer(t);
  const unused = port === 65535 ? 1 : port + 1;
  const connection = await spdy(t);
  const { data, error } = openPair(connection, { port: unused, requestId: 0 });
  data.end();
  const words = `error forwarding port ${unused} to pod sandbox, uid : connect ECONNREFUSED 127.0.0.1:${unused}`;
  t.deepEqual(await Promise.all([textOf(error), textOf(data)]), [words, '']);
  connection.close();
});

test('streams that name no request are paired by their numbers; wrong ones are refused', async (t) => {
  const port = await podServer(t);
  const connection = await spdy(t);
  const { data } = openPair(connection, { port });
  data.end('old client');
  t.is(await textOf(data), 'got old client');
  for (const headers of [
    { streamtype: 'data' },
    { streamtype: 'data', port: '0' },
    { streamtype: 'data', port: '70000' },
    { streamtype: 'other', port: '80' },
    { port: '80' },
  ]) {
    const [error] = (await once(connection.openStream(headers), 'error')) as [Error];
    t.is(error.message, 'the stream was reset by its peer');
  }
  connection.close();
});

test('a connection that the Pod closes, or breaks, ends alone', async (t) => {
  const breaking = await podServer(t, (socket) => {
    socket.on('error', () => undefined).once('data', () => socket.resetAndDestroy());
  });
  const closing = await podServer(t, (socket) => socket.on('error', () => undefined).end('bye'));
  const connection = await spdy(t);
  const broken = openPair(connection, { port: breaking, requestId: 0 });
  const left = openPair(connection, { port: closing, requestId: 1 });
  broken.data.write('hello');
  t.is(await textOf(broken.error), '');
  // The client has not ended its side, and still sees the end of the Pod's.
  t.is(await textOf(left.data), 'bye');
  left.data.end();
  t.is(await textOf(left.error), '');
  connection.close();
});

test('a client that goes away closes its connections to the Pod', async (t) => {
  const sockets = new Set<Socket>();
  const port = await podServer(t, (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)).on('error', () => undefined));
    socket.resume();
    socket.once('end', () => socket.end());
  });
  const connection = await spdy(t);
  const pairs = [0, 1, 2].map((requestId) => openPair(connection, { port, requestId }));
  for (const { data } of pairs) data.write('hello');
  await until('all are connected', () => sockets.size === 3);
  pairs[0]?.data.destroy();
  await until('the one that was reset is gone', () => sockets.size === 2);
  connection.destroy();
  await until('the others are gone', () => sockets.size === 0);
  t.pass();
});

test('the old WebSocket protocol: two channels a port, each begins with its port', async (t) => {
  const port = await podServer(t, (socket) => {
    socket.once('data', (data: Buffer) => socket.end(`got ${data.toString()}`));
  });
  const unused = port === 65535 ? 1 : port + 1;
  const client = connectWebSocket(await forwarding(t, [port, unused]), ['v4.channel.k8s.io']);
  await client.opened;
  client.send(0, 'hello');
  await until('the answer is here', () => client.text(0).endsWith('got hello'));
  await until('the failure is here', () => client.text(3).includes('ECONNREFUSED'));
  const first = client.messages.slice(0, 4).map(({ channel }) => channel);
  t.deepEqual(new Set(first), new Set([0, 1, 2, 3]));
  client.webSocket.terminate();
});

test('the old protocol needs ports, and an unknown one is refused', async (t) => {
  const opened = async (protocols: string[]) => connectWebSocket(await forwarding(t), protocols).opened;
  await t.throwsAsync(() => opened(['v4.channel.k8s.io']), { message: 'Unexpected server response: 400' });
  await t.throwsAsync(() => opened(['v9.channel.k8s.io']), { message: 'Unexpected server response: 403' });
});
