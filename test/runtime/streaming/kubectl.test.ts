import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { spawn as spawnInTerminal } from 'node-pty';
import { until } from '../../environment.ts';
import { findKubectl } from '../../../cli/find-kubectl.ts';
import { startPodApi } from './pod-api.ts';
import { textOf } from './spdy-client.ts';

const kubectl = await findKubectl();

interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function setUp(t: ExecutionContext, webSockets: boolean) {
  const api = await startPodApi();
  const home = mkdtempSync(join(tmpdir(), 'ss-kubectl-'));
  t.teardown(async () => {
    await api[Symbol.asyncDispose]();
    rmSync(home, { recursive: true });
  });
  const choice = String(webSockets);
  const env = {
    ...process.env,
    HOME: home,
    KUBECONFIG: join(home, 'none'),
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: choice,
    KUBECTL_PORT_FORWARD_WEBSOCKETS: choice,
  };
  const start = (args: string[]): ChildProcess => spawn(kubectl, ['--server', api.url, ...args], { env });
  const run = async (args: string[], input: string | Buffer = ''): Promise<Outcome> => {
    const child = start(args);
    child.stdin?.on('error', () => undefined).end(input);
    const closed = once(child, 'close') as Promise<[number | null]>;
    const [stdout, stderr, [code]] = await Promise.all([read(child.stdout), read(child.stderr), closed]);
    return { code, stdout, stderr };
  };
  return { api, home, env, start, run };
}

const read = (stream: ChildProcess['stdout']) => textOf(stream as AsyncIterable<Buffer>);

for (const webSockets of [true, false]) {
  const over = webSockets ? 'WebSocket' : 'SPDY';
  const upgrade = webSockets ? 'websocket v5.channel.k8s.io' : 'SPDY/3.1';

  test.serial(`kubectl over ${over}: exec, its exit code, stdin to its end, attach`, async (t) => {
    const { api, run } = await setUp(t, webSockets);
    t.deepEqual(await run(['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']), {
      code: 3,
      stdout: 'out\n',
      stderr: 'err\ncommand terminated with exit code 3\n',
    });
    const input = randomBytes(8 * 1024 * 1024);
    const summed = await run(['exec', '-i', 'p', '--', 'sha256sum'], input);
    t.deepEqual(summed, {
      code: 0,
      stdout: `${createHash('sha256').update(input).digest('hex')}  -\n`,
      stderr: '',
    });
    const missing = await run(['exec', 'p', '--', '/no/such']);
    t.is(missing.code, 1);
    t.regex(
      missing.stderr,
      /Internal error occurred: error executing command in container: spawn \/no\/such ENOENT/,
    );
    t.is((await run(['attach', '-i', 'p'], 'attached')).stdout, 'attached');
    t.deepEqual(new Set(api.upgrades), new Set([upgrade]));
    await until('no process is left', () => api.runtime.running.size === 0);
  });

  test.serial(`kubectl over ${over}: exec -it in a terminal, resized, hung up`, async (t) => {
    const { api, env } = await setUp(t, webSockets);
    const args = [
      '--server',
      api.url,
      'exec',
      '-it',
      'p',
      '--',
      'sh',
      '-c',
      'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done',
    ];
    const terminal = spawnInTerminal(kubectl, args, { cols: 91, rows: 31, env });
    let screen = '';
    terminal.onData((data) => (screen += data));
    await until('the first size is there', () => api.runtime.sizes.includes('91x31'));
    await until('the process listens', () => screen.includes('ready'));
    terminal.resize(101, 41);
    await until('the process saw the new size', () => screen.includes('41 101'));
    t.is(api.runtime.running.size, 1);
    terminal.kill('SIGKILL');
    await until('the process was hung up', () => api.runtime.running.size === 0);
  });

  test.serial(`kubectl over ${over}: cp there and back`, async (t) => {
    const { home, run } = await setUp(t, webSockets);
    const content = randomBytes(5 * 1024 * 1024);
    writeFileSync(join(home, 'a'), content);
    t.is((await run(['cp', join(home, 'a'), `p:${join(home, 'b')}`])).code, 0);
    t.is((await run(['cp', `p:${join(home, 'b')}`, join(home, 'c')])).code, 0);
    t.true(content.equals(readFileSync(join(home, 'c'))));
  });

  test.serial(`kubectl over ${over}: port-forward, several connections, then a refused one`, async (t) => {
    const { api, start } = await setUp(t, webSockets);
    const text = 'from the pod'.repeat(1_000_000);
    const server = createServer((socket) => socket.end(text)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const child = start(['port-forward', 'p', `:${port}`, '--address', '127.0.0.1']);
    t.teardown(() => child.kill('SIGKILL'));
    let output = '';
    child.stdout?.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr?.on('data', (data: Buffer) => (output += data.toString()));
    await until('it forwards', () => /from 127\.0\.0\.1:\d+/.test(output));
    const local = /from 127\.0\.0\.1:(\d+)/.exec(output)?.[1] ?? '';
    const fetched = () => fetchText(Number(local));
    const texts = await Promise.all([fetched(), fetched(), fetched()]);
    t.true(texts.every((one) => one === text));
    t.deepEqual(api.upgrades, [webSockets ? 'websocket SPDY/3.1+portforward.k8s.io' : 'SPDY/3.1']);
    server.close();
    await fetched();
    const words = `error forwarding port ${port} to pod s, uid : connect ECONNREFUSED 127.0.0.1:${port}`;
    await until('the failure is told', () => output.includes(words));
  });
}

function fetchText(port: number): Promise<string> {
  return textOf(connect(port, '127.0.0.1')).catch(() => '');
}
