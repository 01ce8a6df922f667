import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname } from 'node:path';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import { pods, serviceAccounts } from '../../../client/resources.ts';
import { startBench } from '../kubelet-on-fakes.ts';
import type { Bench } from '../kubelet-on-fakes.ts';
import { until } from '../../environment.ts';

const test = anyTest as TestFn<Bench>;

interface Answer {
  statusCode: number;
  body: string;
}

function ask(
  bench: Bench,
  path: string,
  { method = 'GET', token, anonymous = false }: { method?: string; token?: string; anonymous?: boolean } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `https://127.0.0.1:${bench.kubelet.port}${path}`,
      {
        method,
        ca: bench.ca,
        agent: false,
        ...(anonymous || token ? {} : bench.admin),
        headers: token ? { authorization: `Bearer ${token}` } : {},
      },
      (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (body += chunk));
        response.on('end', () => resolve({ statusCode: response.statusCode ?? 0, body }));
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

const spec = (image = 'busybox') => ({
  terminationGracePeriodSeconds: 1,
  containers: [{ name: 'main', image, imagePullPolicy: 'IfNotPresent' }],
});

test('who may ask', async (t) => {
  const bench = await startBench(t);
  t.is(
    (await ask(bench, `/healthz?command=${'a'.repeat(200_000)}`)).statusCode,
    200,
    'a long command in the URL',
  );
  t.deepEqual(await ask(bench, '/healthz'), { statusCode: 200, body: 'ok' });
  t.deepEqual(await ask(bench, '/pods', { anonymous: true }), { statusCode: 401, body: 'Unauthorized' });
  t.deepEqual(await ask(bench, '/pods', { token: 'nonsense' }), { statusCode: 401, body: 'Unauthorized' });
  const { status } = (await bench.client
    .resource(serviceAccounts)
    .subresource('token')
    .create({
      name: 'default',
      namespace: 'default',
      object: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} } as never,
    })) as unknown as { status: { token: string } };
  t.deepEqual(await ask(bench, '/pods', { token: status.token }), {
    statusCode: 403,
    body: 'Forbidden (user=system:serviceaccount:default:default, verb=get, resource=nodes, subresource(s)=[pods proxy])\n',
  });
  t.is((await ask(bench, '/none')).statusCode, 404);
  t.is((await ask(bench, '/pods', { method: 'POST' })).statusCode, 405);
});

test('pods, metrics and configuration', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'web' }, spec: spec() });
  await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  const list = JSON.parse((await ask(bench, '/pods')).body) as {
    items: { metadata: { name: string }; status: { phase: string } }[];
  };
  t.deepEqual(
    list.items.map(({ metadata, status }) => [metadata.name, status.phase]),
    [['web', 'Running']],
  );
  const running = JSON.parse((await ask(bench, '/runningpods/')).body) as { items: unknown[] };
  t.is(running.items.length, 1);
  const metrics = (await ask(bench, '/metrics')).body;
  t.regex(metrics, /^kubelet_running_pods 1$/m);
  t.regex(metrics, /^kubelet_running_containers\{container_state="running"\} 1$/m);
  t.regex((await ask(bench, '/metrics/resource')).body, /^# TYPE node_cpu_usage_seconds_total counter$/m);
  t.regex((await ask(bench, '/metrics/cadvisor')).body, /^machine_cpu_cores \d+$/m);
  const configz = JSON.parse((await ask(bench, '/configz')).body) as { kubeletconfig: { maxPods: number } };
  t.is(configz.kubeletconfig.maxPods, 110);
  const summary = JSON.parse((await ask(bench, '/stats/summary')).body) as { node: { nodeName: string } };
  t.is(summary.node.nodeName, 'node-1');
  t.is((await ask(bench, '/run/default/web/main?cmd=true', { method: 'POST' })).statusCode, 200);
});

test('starts and ends are counted', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'web' }, spec: { ...spec(), restartPolicy: 'Never' } });
  await until('main runs', () => bench.cri.running('main'));
  bench.cri.exit('main', 3);
  await bench.podUntil('web', ({ status }) => status?.phase === 'Failed');
  const missing = { name: 'main', image: 'none:1', imagePullPolicy: 'Never' };
  await bench.createPod({ metadata: { name: 'bad' }, spec: { ...spec(), containers: [missing] } });
  await bench.podUntil(
    'bad',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull',
  );
  const { body } = await ask(bench, '/metrics');
  for (const line of [
    /^kubelet_started_pods_total 2$/m,
    /^kubelet_started_pods_errors_total 0$/m,
    /^kubelet_started_containers_total\{container_type="container"\} [2-9]$/m,
    /^kubelet_started_containers_errors_total\{container_type="container",code="ErrImageNeverPull"\} [1-9]$/m,
    /^kubelet_terminated_containers_total\{container_type="container",exit_code="3",reason="Error"\} 1$/m,
  ])
    t.regex(body, line);
});

test('what a pod has on the disk', async (t) => {
  const bench = await startBench(t);
  bench.cri.intercept('ListPodSandboxStats', () => ({
    stats: [...bench.cri.sandboxes.values()].map(({ id, metadata }) => ({ attributes: { id, metadata } })),
  }));
  bench.cri.intercept('ListContainerStats', () => ({
    stats: [...bench.cri.containers.values()].map(({ id, config }) => ({
      attributes: { id, labels: config.labels },
      writableLayer: { usedBytes: { value: 1_000_000 }, inodesUsed: { value: 3 } },
    })),
  }));
  const names = ['data', 'memory'];
  const { containers, ...rest } = spec();
  const volumeMounts = names.map((name) => ({ name, mountPath: `/${name}` }));
  const { metadata } = await bench.createPod({
    metadata: { name: 'web' },
    spec: {
      ...rest,
      volumes: [
        { name: 'data', emptyDir: {} },
        {
          name: 'memory',
          downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] },
        },
      ],
      containers: containers.map((container) => ({ ...container, volumeMounts })),
    },
  });
  await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  const log = `${bench.dir}/logs/pods/default_web_${metadata?.uid}/main/0.log`;
  mkdirSync(dirname(log), { recursive: true });
  writeFileSync(log, Buffer.alloc(500_000, 'x'));
  const empty = `${bench.dir}/kubelet/pods/${metadata?.uid}/volumes/kubernetes.io~empty-dir/data`;
  writeFileSync(`${empty}/file`, Buffer.alloc(2_000_000, 'x'));
  interface Use {
    usedBytes: number;
    inodesUsed: number;
    capacityBytes: number;
  }
  const { pods: all } = JSON.parse((await ask(bench, '/stats/summary')).body) as {
    pods: { containers: { rootfs: Use; logs: Use }[]; 'ephemeral-storage': Use }[];
  };
  const main = all[0]?.containers[0];
  const whole = all[0]?.['ephemeral-storage'];
  const is = (use: Use | undefined, bytes: number) =>
    t.true(Math.abs((use?.usedBytes ?? 0) - bytes) < 50_000, `${use?.usedBytes} for ${bytes}`);
  is(main?.rootfs, 1_000_000);
  is(main?.logs, 500_000);
  t.is(main?.logs.inodesUsed, 1);
  is(whole, 3_500_000);
  t.is(whole?.inodesUsed, 3 + 1 + 2 + 1); // the hosts file too
  t.true((whole?.capacityBytes ?? 0) > (whole?.usedBytes ?? 0));
  await bench.client.resource(pods).delete({ name: 'web', namespace: 'default' });
  await bench.gone('web'); // and its mount
});

test('evictions are counted', async (t) => {
  const bench = await startBench(t);
  const volumes = [{ name: 'data', emptyDir: { sizeLimit: '1' } }];
  const { containers, ...rest } = spec();
  const volumeMounts = [{ name: 'data', mountPath: '/data' }];
  await bench.createPod({
    metadata: { name: 'full' },
    spec: { ...rest, volumes, containers: containers.map((container) => ({ ...container, volumeMounts })) },
  });
  await bench.podUntil('full', ({ status }) => status?.phase === 'Failed');
  const { body } = await ask(bench, '/metrics');
  t.regex(body, /^# TYPE kubelet_evictions counter$/m);
  t.regex(body, /^kubelet_evictions\{eviction_signal="emptydirfs.limit"\} 1$/m);
});

test('logs, and why there are none', async (t) => {
  const bench = await startBench(t);
  t.deepEqual(await ask(bench, '/containerLogs/default/none/main'), {
    statusCode: 404,
    body: 'pod "none" does not exist',
  });
  await bench.createPod({
    metadata: { name: 'waits' },
    spec: { ...spec(), containers: [{ name: 'main', image: 'none:1', imagePullPolicy: 'Never' }] },
  });
  await bench.podUntil(
    'waits',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull',
  );
  t.deepEqual(await ask(bench, '/containerLogs/default/waits/main'), {
    statusCode: 400,
    body: 'container "main" in pod "waits" is waiting to start: ErrImageNeverPull',
  });
  t.deepEqual(await ask(bench, '/containerLogs/default/waits/other'), {
    statusCode: 404,
    body: 'container "other" not found in pod "waits"',
  });
  await bench.createPod({ metadata: { name: 'web' }, spec: spec() });
  await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  t.deepEqual(await ask(bench, '/containerLogs/default/web/main?previous=true'), {
    statusCode: 400,
    body: 'previous terminated container "main" in pod "web" not found',
  });
  const container = bench.cri.running('main');
  const logPath = `${bench.dir}/0.log`;
  mkdirSync(dirname(logPath), { recursive: true });
  writeFileSync(logPath, '2026-01-01T00:00:00Z stdout F hello\n2026-01-01T00:00:01Z stderr F there\n');
  if (container) container.status.logPath = logPath;
  // Any event carries the log's path to the kubelet.
  await bench.createPod({ metadata: { name: 'other' }, spec: spec() });
  bench.cri.exit('main', 0);
  await bench.podUntil('web', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
  t.deepEqual(await ask(bench, '/containerLogs/default/web/main?previous=true&timestamps=true&tailLines=1'), {
    statusCode: 200,
    body: '2026-01-01T00:00:01Z there\n',
  });
  t.is((await ask(bench, '/containerLogs/default/web/main?previous=true&stream=Stdout')).body, 'hello\n');
  t.is((await ask(bench, '/containerLogs/default/web/main?stream=Nope')).statusCode, 400);
  // As of a container that could not be started so far that it had a log.
  rmSync(logPath);
  const lost = await ask(bench, '/containerLogs/default/web/main?previous=true');
  t.is(lost.statusCode, 400);
  t.true(lost.body.startsWith(`failed to try resolving symlinks in path "${logPath}": ENOENT`), lost.body);
});

test('a deleted pod is asked for no more', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'web' }, spec: spec() });
  await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  await bench.client.resource(pods).delete({ name: 'web', namespace: 'default' });
  await bench.gone('web');
  await until(
    'forgotten',
    async () => (await ask(bench, '/containerLogs/default/web/main')).statusCode === 404,
  );
  t.pass();
});

test('a kubelet that has just begun answers for its Pods when it knows them', async (t) => {
  const bench = await startBench(t);
  await bench.createPod({ metadata: { name: 'web' }, spec: spec() });
  await bench.podUntil('web', ({ status }) => status?.phase === 'Running');
  const before = bench.kubelet;
  const listing = Promise.withResolvers<undefined>();
  bench.cri.intercept('ListPodSandbox', () => listing.promise);
  const restart = bench.restartKubelet();
  await until('it serves again', () => bench.kubelet !== before);
  const answer = ask(bench, '/run/default/web/main?cmd=true', { method: 'POST' });
  await until('it was asked', async () => (await ask(bench, '/healthz')).statusCode === 200);
  listing.resolve(undefined);
  t.like(await answer, { statusCode: 200 });
  await restart;
  t.deepEqual(await ask(bench, '/run/default/none/main?cmd=true', { method: 'POST' }), {
    statusCode: 404,
    body: 'pod does not exist',
  });
});
