import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server, ServerCredentials, status as codes } from '@grpc/grpc-js';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Container, Probe } from '../../../api/types.ts';
import { CriError } from '../../../kubelet/cri/cri-error.ts';
import type { CriClient } from '../../../kubelet/cri/cri-client.ts';
import { runProbe } from '../../../kubelet/probes/run-probe.ts';
import { runHook } from '../../../kubelet/containers/lifecycle-hooks.ts';
import { systemClock } from '../../../client/clock.ts';
import { podOf } from '../pod-builder.ts';
import { patience } from '../../environment.ts';

const container: Container = { name: 'main', env: [{ name: 'FILE', value: '/x' }] };

const criAnswering = (answer: (request: { cmd: string[] }) => object): CriClient =>
  ({ call: async (_method: string, request: { cmd: string[] }) => answer(request) }) as unknown as CriClient;

const noCri = criAnswering(() => {
  throw new Error('not asked');
});

const probe = (spec: Probe, cri: CriClient = noCri) =>
  runProbe({ timeoutSeconds: patience, ...spec }, { cri, container, containerId: 'id', podIp: '127.0.0.1' });

async function httpServer(
  t: ExecutionContext,
): Promise<{ port: number; agents: string[]; authorizations: string[] }> {
  const agents: string[] = [];
  const authorizations: string[] = [];
  const server = createServer((request, response) => {
    agents.push(request.headers['user-agent'] ?? '');
    authorizations.push(request.headers.authorization ?? '');
    if (request.url === '/slow') return;
    if (request.url === '/late') {
      setTimeout(() => response.end('body'), 100);
      return;
    }
    const hops = /^\/hops\/(\d+)$/.exec(request.url ?? '')?.[1];
    if (hops !== undefined) {
      response.writeHead(302, { location: hops === '1' ? '/ok' : `/hops/${Number(hops) - 1}` }).end();
    } else if (request.url === '/redirect') {
      response.writeHead(302, { location: '/ok' }).end();
    } else if (request.url === '/away') {
      response.writeHead(302, { location: 'http://192.0.2.1/' }).end('elsewhere');
    } else {
      const wanted = request.headers['x-wanted'] === 'yes' || request.url === '/ok';
      response.writeHead(wanted ? 200 : 500).end('body');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, agents, authorizations };
}

test('http', async (t) => {
  const { port, agents } = await httpServer(t);
  const get = (path: string, more: Partial<Probe> = {}) => probe({ httpGet: { path, port }, ...more });
  t.deepEqual(await get('/ok'), { result: 'success', output: 'body' });
  t.deepEqual(await get('/bad'), { result: 'failure', output: 'HTTP probe failed with statuscode: 500' });
  t.deepEqual(await get('/redirect'), { result: 'success', output: 'body' });
  t.deepEqual(await get('/hops/9'), { result: 'success', output: 'body' });
  t.like(await get('/hops/10'), {
    result: 'failure',
    output: `Get "http://127.0.0.1:${port}/ok": stopped after 10 redirects`,
  });
  t.deepEqual(await get('/away'), {
    result: 'warning',
    output: 'Probe terminated redirects, Response body: elsewhere',
  });
  t.is(
    (await probe({ httpGet: { path: '/x', port, httpHeaders: [{ name: 'X-Wanted', value: 'yes' }] } }))
      .result,
    'success',
  );
  t.deepEqual(await get('/slow', { timeoutSeconds: 1 }), {
    result: 'failure',
    output: `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  });
  t.deepEqual(await probe({ httpGet: { path: '/', port: 1 } }), {
    result: 'failure',
    output: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused',
  });
  t.is(agents[0], 'kube-probe/1.36');
});

test('tcp, and ports by name', async (t) => {
  const { port } = await httpServer(t);
  t.is((await probe({ tcpSocket: { port } })).result, 'success');
  t.deepEqual(await probe({ tcpSocket: { port: 1 } }), {
    result: 'failure',
    output: 'dial tcp 127.0.0.1:1: connect: connection refused',
  });
  const named = { ...container, ports: [{ name: 'web', containerPort: port }] };
  const target = { cri: noCri, container: named, containerId: 'id', podIp: '127.0.0.1' };
  t.is((await runProbe({ timeoutSeconds: patience, tcpSocket: { port: 'web' } }, target)).result, 'success');
  await t.throwsAsync(runProbe({ tcpSocket: { port: 'nope' } }, target));
});

test('exec', async (t) => {
  const commands: string[][] = [];
  const answering = (exitCode: number) =>
    criAnswering(({ cmd }) => {
      commands.push(cmd);
      return { stdout: Buffer.from('out '), stderr: Buffer.from('err'), exitCode };
    });
  const spec = { exec: { command: ['cat', '$(FILE)', '$(UNKNOWN)'] } };
  t.deepEqual(await probe(spec, answering(0)), { result: 'success', output: 'out err' });
  t.deepEqual(await probe(spec, answering(1)), { result: 'failure', output: 'out err' });
  t.deepEqual(commands[0], ['cat', '/x', '$(UNKNOWN)']);
  const slow = criAnswering(() => {
    throw new CriError('ExecSync', 4, 'too slow');
  });
  t.deepEqual(await probe({ exec: { command: ['sleep', '9'] }, timeoutSeconds: 2 }, slow), {
    result: 'failure',
    output: 'command timed out: "sleep 9" timed out after 2s',
  });
});

/** Answers for itself, and says that `bad` is not served. */
async function healthServer(t: ExecutionContext): Promise<number> {
  const server = new Server();
  const answers: Record<string, number> = { '': 1, bad: 2 };
  server.register(
    '/grpc.health.v1.Health/Check',
    (
      call: { request: Buffer },
      callback: (error: { code: number; details: string } | null, answer?: Buffer) => void,
    ) => {
      const service = call.request.subarray(2).toString();
      const status = answers[service];
      if (status === undefined) callback({ code: codes.NOT_FOUND, details: 'unknown service' });
      else callback(null, Buffer.from([0x08, status]));
    },
    (answer: Buffer) => answer,
    (bytes: Buffer) => bytes,
    'unary',
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  t.teardown(() => server.forceShutdown());
  return port;
}

test('grpc', async (t) => {
  const port = await healthServer(t);
  t.deepEqual(await probe({ grpc: { port } }), { result: 'success', output: 'service healthy' });
  t.deepEqual(await probe({ grpc: { port, service: 'bad' } }), {
    result: 'failure',
    output: 'service unhealthy (responded with "NOT_SERVING")',
  });
  t.deepEqual(await probe({ grpc: { port, service: 'none' } }), {
    result: 'failure',
    output: 'error: health rpc probe failed: rpc error: code = NotFound desc = unknown service',
  });
  t.deepEqual(await probe({ grpc: { port: 1 }, timeoutSeconds: 1 }), {
    result: 'failure',
    output: 'timeout: failed to connect service "127.0.0.1:1" within 1s: context deadline exceeded',
  });
});

test('a timeout of a month is no timeout of a moment', async (t) => {
  const timeoutSeconds = 30 * 86_400;
  const { port } = await httpServer(t);
  t.like(await probe({ httpGet: { path: '/late', port }, timeoutSeconds }), { result: 'success' });
  t.deepEqual(await probe({ grpc: { port: await healthServer(t) }, timeoutSeconds }), {
    result: 'success',
    output: 'service healthy',
  });
});

test('lifecycle hooks', async (t) => {
  const { port, authorizations } = await httpServer(t);
  const events: string[] = [];
  const base = {
    cri: noCri,
    clock: systemClock,
    pod: podOf(),
    container,
    containerId: 'id',
    podIp: '127.0.0.1',
    events: {
      pod: (_pod: unknown, _type: unknown, reason: string, message: string) =>
        void events.push(`${reason}: ${message}`),
    },
  };
  await t.notThrowsAsync(runHook({ ...base, handler: { httpGet: { path: '/bad', port } } }));
  await t.throwsAsync(runHook({ ...base, handler: { httpGet: { path: '/x', port: 1 } } }), {
    message:
      'HTTP lifecycle hook (/x) for Container "main" in Pod "web_default(uid-1)" failed - error: Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
  });
  const failing = criAnswering(() => ({ stdout: Buffer.alloc(0), stderr: Buffer.from('no'), exitCode: 7 }));
  await t.throwsAsync(runHook({ ...base, cri: failing, handler: { exec: { command: ['a', 'b'] } } }), {
    message:
      /^Exec lifecycle hook \(\[a b\]\) for Container "main" in Pod "web_default\(uid-1\)" failed - error: command 'a b' exited with 7: no, message: "no"$/,
  });
  const httpHeaders = [{ name: 'Authorization', value: 'secret' }];
  const plain = { path: '/ok', port, httpHeaders };
  await runHook({ ...base, handler: { httpGet: plain } });
  t.deepEqual(events, []);
  await runHook({ ...base, handler: { httpGet: { ...plain, scheme: 'HTTPS' } } });
  t.deepEqual(authorizations.slice(-2), ['secret', ''], 'not sent in the clear to who should speak TLS');
  t.deepEqual(events, [
    `LifecycleHTTPFallback: request to HTTPS lifecycle hook 127.0.0.1:${port} got HTTP response, retry with HTTP succeeded`,
  ]);
  const stopping = new AbortController();
  const sleeping = runHook({ ...base, handler: { sleep: { seconds: 60 } }, signal: stopping.signal });
  stopping.abort();
  await t.throwsAsync(sleeping, { message: /container terminated before sleep hook finished$/ });
});
