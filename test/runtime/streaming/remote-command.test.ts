import { createHash } from 'node:crypto';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startStreamingServer } from '../../../runtime/streaming/server.ts';
import { until } from '../../environment.ts';
import { createHostRuntime } from './host-runtime.ts';
import { connectSpdy, openStreams, textOf } from './spdy-client.ts';
import { connectWebSocket } from './websocket-client.ts';

const failed = (code: number, command: string) => ({
  metadata: {},
  status: 'Failure',
  message: `command terminated with non-zero exit code: error executing command [${command}], exit code ${code}`,
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
});

const allOutputs = { stdin: false, stdout: true, stderr: true, tty: false };

async function serving(t: ExecutionContext) {
  const runtime = createHostRuntime();
  const server = await startStreamingServer({ address: '127.0.0.1', runtime });
  t.teardown(() => server.stop());
  const exec = (cmd: string[], streams: Partial<typeof allOutputs> = {}) =>
    server.getExecUrl({ containerId: 'c', cmd, ...allOutputs, ...streams });
  return { server, runtime, exec };
}

for (const protocol of ['v5.channel.k8s.io', 'v4.channel.k8s.io']) {
  test(`SPDY ${protocol}: output, exit code, half-close of stdin`, async (t) => {
    const { exec } = await serving(t);
    const url = exec(['sh', '-c', 'cat; echo error >&2; exit 3'], { stdin: true });
    const { connection, protocol: chosen } = await connectSpdy(url, [protocol, 'v1.channel.k8s.io']);
    t.is(chosen, protocol);
    t.truthy(connection);
    if (connection === undefined) return;
    const streams = openStreams(connection, ['error', 'stdin', 'stdout', 'stderr']);
    streams.error.end();
    streams.stdin.end('input until its end');
    const [stdout, stderr, error] = await Promise.all(
      [streams.stdout, streams.stderr, streams.error].map(textOf),
    );
    t.is(stdout, 'input until its end');
    t.is(stderr, 'error\n');
    t.deepEqual(JSON.parse(error ?? ''), failed(3, 'sh -c cat; echo error >&2; exit 3'));
    await connection.closed;
  });
}

test('SPDY v3: the error stream is plain text, and empty for success', async (t) => {
  const { exec } = await serving(t);
  for (const [code, words] of [
    [0, ''],
    [7, failed(7, 'sh -c exit 7').message],
  ] as const) {
    const { connection } = await connectSpdy(exec(['sh', '-c', `exit ${code}`]), ['v3.channel.k8s.io']);
    if (connection === undefined) return t.fail();
    const streams = openStreams(connection, ['error', 'stdout', 'stderr']);
    t.is(await textOf(streams.error), words);
    await connection.closed;
  }
  return undefined;
});

test('SPDY: a command that cannot be run is an InternalError', async (t) => {
  const { exec } = await serving(t);
  const { connection } = await connectSpdy(exec(['/no/such']), ['v4.channel.k8s.io']);
  if (connection === undefined) return t.fail();
  const status = JSON.parse(
    await textOf(openStreams(connection, ['error', 'stdout', 'stderr']).error),
  ) as unknown;
  const words = 'error executing command in container: spawn /no/such ENOENT';
  t.deepEqual(status, {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${words}`,
    reason: 'InternalError',
    details: { causes: [{ message: words }] },
    code: 500,
  });
  return undefined;
});

test('SPDY: refusals are worded and numbered as upstream', async (t) => {
  const { exec } = await serving(t);
  const none = await connectSpdy(exec(['true']), []);
  t.is(none.statusCode, 400);
  t.regex(
    none.body,
    /^unable to upgrade: header X-Stream-Protocol-Version does not exist in request with \d headers\n$/,
  );
  const unknown = await connectSpdy(exec(['true']), ['v9.channel.k8s.io']);
  t.is(unknown.statusCode, 403);
  t.is(
    unknown.body,
    'unable to upgrade: unable to negotiate protocol: client supports [v9.channel.k8s.io], server accepts ' +
      '[v5.channel.k8s.io v4.channel.k8s.io v3.channel.k8s.io v2.channel.k8s.io channel.k8s.io]\n',
  );
});

test('a URL works once, only for its verb, and not without an upgrade', async (t) => {
  const { server, exec } = await serving(t);
  const url = exec(['true']);
  t.is((await connectSpdy(url.replace('/exec/', '/attach/'), ['v4.channel.k8s.io'])).statusCode, 404);
  t.is((await connectSpdy(url, ['v4.channel.k8s.io'])).statusCode, 404);
  t.is((await fetch(exec(['true']))).status, 400);
  t.is((await fetch(`${url}x`)).status, 404);
  t.throws(() => server.getExecUrl({ containerId: 'c', cmd: [], ...allOutputs, tty: true }), {
    message: 'tty and stderr cannot both be true',
  });
  t.throws(() => server.getExecUrl({ containerId: '', cmd: [], ...allOutputs }), {
    message: 'missing required container_id',
  });
});

test('WebSocket v5: channels, close signal, status', async (t) => {
  const { exec } = await serving(t);
  const url = exec(['sh', '-c', 'cat; echo error >&2; exit 4'], { stdin: true });
  const client = connectWebSocket(url, ['v5.channel.k8s.io']);
  await client.opened;
  t.is(client.webSocket.protocol, 'v5.channel.k8s.io');
  client.send(0, 'some input');
  client.send(255, '\u0000');
  t.is(await client.closed, 1000);
  t.deepEqual(client.messages[0], { channel: 1, text: '' });
  t.is(client.text(1), 'some input');
  t.is(client.text(2), 'error\n');
  t.deepEqual(JSON.parse(client.text(3)), failed(4, 'sh -c cat; echo error >&2; exit 4'));
});

test('WebSocket v4.base64: text messages both ways', async (t) => {
  const { exec } = await serving(t);
  const client = connectWebSocket(exec(['head', '-c', '5'], { stdin: true }), ['v4.base64.channel.k8s.io']);
  await client.opened;
  client.webSocket.send(`0${Buffer.from('hello').toString('base64')}`);
  await client.closed;
  t.is(client.text(1), 'hello');
  t.deepEqual(JSON.parse(client.text(3)), { metadata: {}, status: 'Success' });
});

test('WebSocket without a subprotocol speaks the first version; an unknown one is refused', async (t) => {
  const { exec } = await serving(t);
  const client = connectWebSocket(exec(['echo', 'out']), []);
  await client.closed;
  t.is(client.text(1), 'out\n');
  t.is(client.text(3), '');
  await t.throwsAsync(() => connectWebSocket(exec(['true']), ['v9.channel.k8s.io']).opened, {
    message: 'Unexpected server response: 403',
  });
});

test('a terminal gets its sizes, and is hung up when the client goes', async (t) => {
  const { exec, runtime } = await serving(t);
  const url = exec(['sh', '-c', 'stty size; read line; stty size; cat'], {
    stdin: true,
    stderr: false,
    tty: true,
  });
  const client = connectWebSocket(url, ['v5.channel.k8s.io']);
  await client.opened;
  client.send(4, '{"Width":100,"Height":40}{"Width":0,"Height":9999999}garbage}');
  await until('the size arrived', () => runtime.sizes.length === 1);
  client.send(4, '{"Width":111,');
  client.send(4, '"Height":44}');
  await until('both sizes arrived', () => runtime.sizes.length === 2);
  client.send(0, 'go on\n');
  await until('the process saw it', () => client.text(1).includes('44 111'));
  t.deepEqual(runtime.sizes, ['100x40', '111x44']);
  t.is(runtime.running.size, 1);
  client.webSocket.terminate();
  await until('the process is gone', () => runtime.running.size === 0);
});

for (const kind of ['SPDY', 'WebSocket'] as const) {
  test(`${kind}: a slow reader slows the process down and gets every byte`, async (t) => {
    const { exec, runtime } = await serving(t);
    const total = 48 * 1024 * 1024;
    const url = exec(['sh', '-c', `head -c ${total} /dev/zero | tr '\\0' a`], { stderr: false });
    const hash = createHash('sha256');
    let length = 0;
    const take = (chunk: Buffer) => {
      hash.update(chunk);
      length += chunk.length;
    };
    if (kind === 'SPDY') {
      const { connection } = await connectSpdy(url, ['v4.channel.k8s.io']);
      if (connection === undefined) return t.fail();
      const { stdout, error } = openStreams(connection, ['error', 'stdout']);
      error.resume();
      await until('the first bytes are here', () => stdout.readableLength >= 1024 * 1024);
      t.is(runtime.running.size, 1);
      for await (const chunk of stdout as AsyncIterable<Buffer>) take(chunk);
      await connection.closed;
    } else {
      const { webSocket, opened, closed } = connectWebSocket(url, ['v5.channel.k8s.io']);
      await opened;
      webSocket.pause();
      await until('the process runs', () => runtime.running.size === 1);
      webSocket.on('message', (data: Buffer) => {
        if (data[0] === 1) take(data.subarray(1));
      });
      webSocket.resume();
      await closed;
    }
    t.is(length, total);
    t.is(hash.digest('hex'), createHash('sha256').update(Buffer.alloc(total, 'a')).digest('hex'));
    return undefined;
  });
}

// While nothing is read from a connection its end is not seen either: it is found out by writing.
test('stdin that nobody reads stops the client, and its going away still ends the process', async (t) => {
  const { exec, runtime } = await serving(t);
  const { connection } = await connectSpdy(exec(['sleep', '1000'], { stdin: true }), ['v4.channel.k8s.io']);
  if (connection === undefined) return t.fail();
  const { stdin } = openStreams(connection, ['error', 'stdin', 'stdout', 'stderr']);
  let accepted = 0;
  const block = Buffer.alloc(1024 * 1024);
  const pump = () =>
    stdin.write(block, (error) =>
      error === null || error === undefined ? ((accepted += 1), pump()) : undefined,
    );
  pump();
  let seen = -1;
  await until('the client is held back', async () => {
    const before = seen;
    seen = accepted;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return before === seen && accepted > 0;
  });
  t.true(accepted < 64);
  connection.destroy();
  await until('the process is gone', () => runtime.running.size === 0);
  return undefined;
});

test('100 execs at once over both protocols', async (t) => {
  const { exec, runtime } = await serving(t);
  const numbers = Array.from({ length: 100 }, (_, index) => index);
  const outputs = await Promise.all(
    numbers.map(async (number) => {
      const url = exec(['echo', String(number)]);
      if (number % 2 === 0) {
        const client = connectWebSocket(url, ['v5.channel.k8s.io']);
        await client.closed;
        return client.text(1);
      }
      const { connection } = await connectSpdy(url, ['v4.channel.k8s.io']);
      if (connection === undefined) return 'refused';
      const { stdout, error, stderr } = openStreams(connection, ['error', 'stdout', 'stderr']);
      error.resume();
      stderr.resume();
      return textOf(stdout);
    }),
  );
  t.deepEqual(
    outputs,
    numbers.map((number) => `${number}\n`),
  );
  await until('no process is left', () => runtime.running.size === 0);
});

test('attach joins the process; stop cuts everything', async (t) => {
  const runtime = createHostRuntime();
  const server = await startStreamingServer({ address: '127.0.0.1', runtime });
  const url = server.getAttachUrl({ containerId: 'c', stdin: true, stdout: true, stderr: false, tty: false });
  const client = connectWebSocket(url, ['v5.channel.k8s.io']);
  await client.opened;
  client.send(0, 'echoed');
  await until('the echo is here', () => client.text(1) === 'echoed');
  await server.stop();
  t.is(await client.closed, 1006);
  await until('the process is gone', () => runtime.running.size === 0);
});
