import { existsSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import { startCluster } from '../../../cluster/index.ts';
import { forever, podBench, shell } from './pod-bench.ts';
import type { PodBench } from './pod-bench.ts';
import { patience, until } from '../../environment.ts';

const test = anyTest as TestFn<PodBench>;
let bench: PodBench;

test.before(async () => {
  bench = await podBench(await startCluster({ name: `ll-p${process.pid}` }));
});
test.after.always(async () => {
  bench?.client.close();
  await bench?.cluster.down();
});

test('two containers share the pod: localhost, host name, hosts file, logs and exec', async (t) => {
  await bench.create('pair', {
    containers: [
      shell('server', 'echo serving; mkdir /www; echo hi > /www/index.html; httpd -f -p 8080 -h /www'),
      shell('client', `until wget -qO- http://127.0.0.1:8080; do sleep 0.1; done; ${forever}`),
    ],
    hostAliases: [{ ip: '192.0.2.9', hostnames: ['alias.test'] }],
  });
  const pod = await bench.running(t, 'pair');
  t.regex(pod.status?.podIP ?? '', /^10\./);
  await until('answer in the log', async () =>
    (await bench.kubectl('logs', 'pair', '-c', 'client')).includes('hi'),
  );
  const hosts = await bench.kubectl('exec', 'pair', '-c', 'client', '--', 'cat', '/etc/hosts');
  t.true(hosts.startsWith('# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n'));
  t.true(hosts.includes(`${pod.status?.podIP}\tpair\n`));
  t.true(hosts.endsWith('# Entries added by HostAliases.\n192.0.2.9\talias.test\n'));
  t.is((await bench.kubectl('exec', 'pair', '-c', 'server', '--', 'hostname')).trim(), 'pair');
  t.is(await bench.kubectl('logs', 'pair', '-c', 'server', '--tail=1'), 'serving\n');
  t.regex(
    await bench.kubectl('logs', 'pair', '-c', 'server', '--timestamps', '--tail=1'),
    /^\d{4}-\d\d-\d\dT\S+Z serving\n$/,
  );
  await bench.remove('pair', 1);
  await bench.gone('pair');
});

test('logs follow a container to its end', async (t) => {
  await bench.create('talk', {
    restartPolicy: 'Never',
    containers: [shell('main', 'for i in 1 2 3 4 5; do echo line $i; sleep 0.2; done')],
  });
  await bench.podUntil(t, 'talk', ({ status }) => {
    const state = status?.containerStatuses?.[0]?.state;
    return state?.running !== undefined || state?.terminated !== undefined;
  });
  t.is(await bench.kubectl('logs', '-f', 'talk'), 'line 1\nline 2\nline 3\nline 4\nline 5\n');
  await bench.podUntil(t, 'talk', ({ status }) => status?.phase === 'Succeeded');
  t.is(await bench.kubectl('logs', 'talk', '--since=1h', '--limit-bytes=7'), 'line 1\n');
  await bench.remove('talk');
  await bench.gone('talk');
});

test('restart policies and exit codes', async (t) => {
  await bench.create('never', { restartPolicy: 'Never', containers: [shell('main', 'exit 42')] });
  await bench.create('again', {
    restartPolicy: 'OnFailure',
    containers: [
      shell('main', 'test -e /kept/seen && exit 0; touch /kept/seen; exit 3', {
        volumeMounts: [{ name: 'work', mountPath: '/kept' }],
      }),
    ],
    volumes: [{ name: 'work', emptyDir: {} }],
  });
  await bench.create('loop', {
    containers: [shell('main', 'echo oops > /dev/termination-log; exit 9')],
  });
  // Each as soon as it is so: a back-off grows.
  const [never, again, loop] = await Promise.all([
    bench.podUntil(t, 'never', ({ status }) => status?.phase === 'Failed'),
    bench.podUntil(t, 'again', ({ status }) => status?.phase === 'Succeeded'),
    bench.podUntil(
      t,
      'loop',
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
    ),
  ]);
  t.like(never.status?.containerStatuses?.[0]?.state?.terminated, { exitCode: 42, reason: 'Error' });
  t.is(again.status?.containerStatuses?.[0]?.restartCount, 1);
  t.like(again.status?.containerStatuses?.[0]?.lastState?.terminated, { exitCode: 3 });
  t.like(again.status?.containerStatuses?.[0]?.state?.terminated, { exitCode: 0, reason: 'Completed' });
  const uid = loop.metadata?.uid ?? '';
  t.is(
    loop.status?.containerStatuses?.[0]?.state?.waiting?.message,
    `back-off 10s restarting failed container=main pod=loop_default(${uid})`,
  );
  t.like(loop.status?.containerStatuses?.[0]?.lastState?.terminated, { exitCode: 9, message: 'oops\n' });
  for (const name of ['never', 'again', 'loop']) await bench.remove(name, 0);
  for (const name of ['never', 'again', 'loop']) await bench.gone(name);
});

test('what ends badly: killed for memory, command not found, missing image, missing config', async (t) => {
  await bench.create('hungry', {
    restartPolicy: 'Never',
    containers: [
      shell('main', 'x=a; while :; do x=$x$x; done', {
        resources: { limits: { memory: '20Mi' } },
      }),
    ],
  });
  await bench.create('nocommand', {
    restartPolicy: 'Never',
    containers: [{ ...shell('main', ''), command: ['/no/such'] }],
  });
  await bench.create('noimage', {
    containers: [{ ...shell('main', forever), image: 'missing.invalid/none:1', imagePullPolicy: 'Never' }],
  });
  await bench.create('noconfig', {
    containers: [shell('main', forever, { envFrom: [{ secretRef: { name: 'nope' } }] })],
  });
  const hungry = await bench.podUntil(t, 'hungry', ({ status }) => status?.phase === 'Failed');
  t.like(hungry.status?.containerStatuses?.[0]?.state?.terminated, { exitCode: 137, reason: 'OOMKilled' });
  const nocommand = await bench.podUntil(t, 'nocommand', ({ status }) => status?.phase === 'Failed');
  const terminated = nocommand.status?.containerStatuses?.[0]?.state?.terminated;
  t.is(terminated?.exitCode, 128);
  t.is(terminated?.reason, 'StartError');
  t.regex(terminated?.message ?? '', /no such file or directory/);
  const noimage = await bench.podUntil(
    t,
    'noimage',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === 'ErrImageNeverPull',
  );
  t.is(noimage.status?.phase, 'Pending');
  const { status: noconfig } = await bench.podUntil(
    t,
    'noconfig',
    ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.message === 'secret "nope" not found',
  );
  t.is(noconfig?.containerStatuses?.[0]?.state?.waiting?.reason, 'CreateContainerConfigError');
  for (const name of ['hungry', 'nocommand', 'noimage', 'noconfig']) await bench.remove(name, 0);
  for (const name of ['hungry', 'nocommand', 'noimage', 'noconfig']) await bench.gone(name);
});

test('init containers and a sidecar, in order, and their end', async (t) => {
  const volumeMounts = [{ name: 'work', mountPath: '/kept' }];
  const say = (name: string, more = '') => `echo ${name} >> /kept/order${more}`;
  await bench.create('ordered', {
    volumes: [{ name: 'work', emptyDir: {} }],
    initContainers: [
      shell('one', say('one'), { volumeMounts }),
      shell(
        'side',
        `${say('side')}; trap 'echo side-end; exit 0' TERM; while :; do sleep 1000 & wait $!; done`,
        {
          volumeMounts,
          restartPolicy: 'Always',
          startupProbe: {
            exec: { command: ['test', '-e', '/kept/order'] },
            periodSeconds: 1,
            timeoutSeconds: 10 * patience,
          },
        },
      ),
      shell('two', say('two'), { volumeMounts }),
    ],
    containers: [shell('main', `${say('main')}; ${forever}`, { volumeMounts })],
  });
  const pod = await bench.running(t, 'ordered');
  t.is(
    await bench.kubectl('exec', 'ordered', '-c', 'main', '--', 'cat', '/kept/order'),
    'one\nside\ntwo\nmain\n',
  );
  t.deepEqual(
    pod.status?.initContainerStatuses?.map(({ name, ready }) => [name, ready]),
    [
      ['one', true],
      ['side', true],
      ['two', true],
    ],
  );
  await bench.remove('ordered');
  await bench.gone('ordered');
});

test('probes over http, tcp and exec', async (t) => {
  const timeoutSeconds = 10 * patience;
  await bench.create('probed', {
    containers: [
      shell('main', 'mkdir /www; echo ok > /www/healthz; httpd -f -p 8080 -h /www', {
        ports: [{ name: 'http', containerPort: 8080 }],
        startupProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1, failureThreshold: 30 },
        readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 1, timeoutSeconds },
        livenessProbe: {
          exec: { command: ['test', '-e', '/www/healthz'] },
          periodSeconds: 1,
          timeoutSeconds,
          failureThreshold: 1,
        },
      }),
    ],
  });
  const unready = await bench.podUntil(
    t,
    'probed',
    ({ status }) => status?.containerStatuses?.[0]?.started === true,
  );
  t.is(unready.status?.containerStatuses?.[0]?.ready, false);
  await bench.eventUntil(
    t,
    'probed',
    ({ reason, message }) =>
      reason === 'Unhealthy' && message === 'Readiness probe failed: HTTP probe failed with statuscode: 404',
  );
  await bench.kubectl('exec', 'probed', '--', 'sh', '-c', 'echo ok > /www/ready');
  await bench.podUntil(t, 'probed', ({ status }) => status?.containerStatuses?.[0]?.ready === true);
  await bench.kubectl('exec', 'probed', '--', 'rm', '/www/healthz');
  await bench.eventUntil(
    t,
    'probed',
    ({ reason, message }) =>
      reason === 'Killing' && message === 'Container main failed liveness probe, will be restarted',
  );
  await bench.podUntil(t, 'probed', ({ status }) => status?.containerStatuses?.[0]?.restartCount === 1);
  await bench.remove('probed', 1);
  await bench.gone('probed');
});

test('hooks and grace periods', async (t) => {
  await bench.create('graceful', {
    terminationGracePeriodSeconds: 20 * patience,
    volumes: [{ name: 'out', hostPath: { path: `/tmp/ll-hooks-${process.pid}`, type: 'DirectoryOrCreate' } }],
    containers: [
      shell('main', `trap 'echo term >> /out/seen; exit 0' TERM; while :; do sleep 1000 & wait $!; done`, {
        volumeMounts: [{ name: 'out', mountPath: '/out' }],
        lifecycle: {
          postStart: { exec: { command: ['sh', '-c', 'echo post >> /out/seen'] } },
          preStop: { exec: { command: ['sh', '-c', 'echo pre >> /out/seen'] } },
        },
      }),
    ],
  });
  await bench.running(t, 'graceful');
  await bench.remove('graceful');
  await bench.gone('graceful');
  const seen = `/tmp/ll-hooks-${process.pid}`;
  t.is(readFileSync(`${seen}/seen`, 'utf8'), 'post\npre\nterm\n');
  rmSync(seen, { recursive: true });
  await bench.create('stubborn', {
    terminationGracePeriodSeconds: 600,
    containers: [shell('main', "trap '' TERM; while :; do sleep 1; done")],
  });
  await bench.running(t, 'stubborn');
  await bench.remove('stubborn');
  await bench.podUntil(t, 'stubborn', ({ metadata }) => metadata?.deletionTimestamp !== undefined);
  // A second deletion with less time takes over.
  await bench.remove('stubborn', 1);
  await bench.gone('stubborn');
  await bench.create('deadline', { activeDeadlineSeconds: 1 });
  const failed = await bench.podUntil(t, 'deadline', ({ status }) => status?.phase === 'Failed');
  t.is(failed.status?.reason, 'DeadlineExceeded');
  await bench.remove('deadline', 0);
  await bench.gone('deadline');
});

test('an ephemeral container joins the pod', async (t) => {
  await bench.create('host', {});
  await bench.running(t, 'host');
  await bench.kubectl(
    'debug',
    'host',
    '--image=busybox',
    '--image-pull-policy=IfNotPresent',
    '--container=dbg',
    '--target=main',
    '--',
    'sh',
    '-c',
    'ps; sleep 1000',
  );
  const pod = await bench.podUntil(
    t,
    'host',
    ({ status }) => status?.ephemeralContainerStatuses?.[0]?.state?.running !== undefined,
  );
  t.is(pod.status?.ephemeralContainerStatuses?.[0]?.name, 'dbg');
  await until('sees the target', async () =>
    (await bench.kubectl('logs', 'host', '-c', 'dbg')).includes('sleep 1000'),
  );
  await bench.remove('host', 1);
  await bench.gone('host');
});

test('exec with exit code, cp, attach and port-forward', async (t) => {
  await bench.create('streams', {
    containers: [
      shell(
        'main',
        'mkdir /www; echo served > /www/index.html; httpd -p 8080 -h /www; while read line; do echo got $line; done',
        {
          stdin: true,
        },
      ),
    ],
  });
  await bench.running(t, 'streams');
  const failed = await t.throwsAsync(bench.kubectl('exec', 'streams', '--', 'sh', '-c', 'exit 7'));
  t.is((failed as unknown as { code: number }).code, 7);
  await bench.kubectl('cp', new URL('../../../LICENSE', import.meta.url).pathname, 'streams:/tmp/LICENSE');
  t.regex(await bench.kubectl('exec', 'streams', '--', 'head', '-3', '/tmp/LICENSE'), /Apache License/);
  const forward = spawn(
    new URL('../../../scripts/podwright', import.meta.url).pathname,
    ['kubectl', '--name', bench.cluster.name, 'port-forward', 'pod/streams', ':8080'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    let said = '';
    forward.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const port = await until('forwarding', () => /127\.0\.0\.1:(\d+) ->/.exec(said)?.[1]);
    t.is(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'served\n');
  } finally {
    forward.kill();
  }
  await bench.remove('streams', 1);
  await bench.gone('streams');
});

test('cgroups, environment and security of a container', async (t) => {
  await bench.create('limits', {
    securityContext: { runAsUser: 1000, runAsGroup: 2000, fsGroup: 3000 },
    hostname: 'named',
    containers: [
      shell('main', forever, {
        env: [
          { name: 'GREETING', value: 'hello $(POD)' },
          { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        ],
        resources: { requests: { cpu: '100m', memory: '32Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
        securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true },
      }),
    ],
  });
  const pod = await bench.running(t, 'limits');
  t.is(pod.status?.qosClass, 'Burstable');
  const inside = (command: string) => bench.kubectl('exec', 'limits', '--', 'sh', '-c', command);
  t.is(await inside('id -u; id -g; id -G'), '1000\n2000\n2000 3000\n');
  t.is(await inside('echo $POD $CPU; hostname'), 'limits 200\nnamed\n');
  t.is(await inside('touch /x 2>/dev/null || echo read-only'), 'read-only\n');
  t.is(await inside('grep NoNewPrivs /proc/self/status | cut -f2'), '1\n');
  const uid = pod.metadata?.uid ?? '';
  const path = `/podwright/${bench.cluster.name}/node-1/kubepods/burstable/pod${uid}`;
  const file = [
    `/sys/fs/cgroup/memory${path}/memory.limit_in_bytes`,
    `/sys/fs/cgroup${path}/memory.max`,
    `/sys/fs/cgroup/unified${path}/memory.max`,
  ].find(existsSync);
  if (file) t.is(readFileSync(file, 'utf8').trim(), String(64 * 1024 * 1024));
  else t.log('SKIP no memory controller');
  await bench.remove('limits', 1);
  await bench.gone('limits');
  t.false(file !== undefined && existsSync(file));
});
