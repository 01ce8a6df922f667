import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import type { TestFn } from 'ava';
import { stopDaemon } from '../../../cluster/daemons.ts';
import { startCluster } from '../../../cluster/index.ts';
import { nodePaths } from '../../../cluster/paths.ts';
import { up } from '../../../cluster/up.ts';
import { forever, podBench, shell } from './pod-bench.ts';
import type { PodBench } from './pod-bench.ts';
import { until } from '../../environment.ts';

const test = anyTest as TestFn<PodBench>;
let bench: PodBench;

test.before(async () => {
  bench = await podBench(await startCluster({ name: `ll-r${process.pid}` }));
});
test.after.always(async () => {
  bench?.client.close();
  await bench?.cluster.down();
});

const pidOf = async (name: string): Promise<string> =>
  (await bench.kubectl('exec', name, '--', 'sh', '-c', 'cut -d" " -f22 /proc/1/stat')).trim();

test.serial('SIGKILL of the node daemon: processes, logs and exit codes stay', async (t) => {
  await bench.create('counter', {
    containers: [shell('main', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done')],
  });
  const folder = mkdtempSync(join(tmpdir(), 'll-ending-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const ending =
    'echo started; until [ -e /out/end ]; do sleep 0.1; done; echo last words; : > /out/ended; exit 5';
  await bench.create('ending', {
    restartPolicy: 'Never',
    volumes: [{ name: 'out', hostPath: { path: folder } }],
    containers: [shell('main', ending, { volumeMounts: [{ name: 'out', mountPath: '/out' }] })],
  });
  const before = await bench.running(t, 'counter');
  await bench.running(t, 'ending');
  const startTime = await pidOf('counter');
  const linesOf = async () => (await bench.kubectl('logs', 'counter')).trim().split('\n').map(Number);
  const { length: linesBefore } = await linesOf();
  await stopDaemon(bench.cluster.name, 'node-1', { signal: 'SIGKILL' });
  writeFileSync(join(folder, 'end'), '');
  await until('it has ended', () => existsSync(join(folder, 'ended')));
  await up({ name: bench.cluster.name });
  const ended = await bench.podUntil(t, 'ending', ({ status }) => status?.phase === 'Failed');
  t.like(ended.status?.containerStatuses?.[0]?.state?.terminated, { exitCode: 5, reason: 'Error' });
  t.is(await bench.kubectl('logs', 'ending'), 'started\nlast words\n');
  const after = await bench.pod('counter');
  t.is(after.status?.containerStatuses?.[0]?.containerID, before.status?.containerStatuses?.[0]?.containerID);
  t.is(after.status?.containerStatuses?.[0]?.restartCount, 0);
  t.is(await pidOf('counter'), startTime);
  const lines = await linesOf();
  t.deepEqual(
    lines,
    lines.map((_, index) => index + 1),
  );
  t.true(lines.length > linesBefore);
  for (const name of ['counter', 'ending']) await bench.remove(name, 0);
  for (const name of ['counter', 'ending']) await bench.gone(name);
});

test.serial('SIGKILL of the control plane: pods run on, and converge', async (t) => {
  await bench.create('kept', {});
  await bench.running(t, 'kept');
  const startTime = await pidOf('kept');
  await stopDaemon(bench.cluster.name, 'control-plane', { signal: 'SIGKILL' });
  await up({ name: bench.cluster.name });
  t.is(await pidOf('kept'), startTime);
  await bench.create('later', {});
  await bench.running(t, 'later');
  for (const name of ['kept', 'later']) await bench.remove(name, 1);
  for (const name of ['kept', 'later']) await bench.gone(name);
});

test.serial('a pod that is deleted while its node is dead goes when the node is back', async (t) => {
  await bench.create('doomed', {});
  await bench.running(t, 'doomed');
  await stopDaemon(bench.cluster.name, 'node-1', { signal: 'SIGKILL' });
  await bench.remove('doomed', 1);
  await up({ name: bench.cluster.name });
  await bench.gone('doomed');
  t.pass();
});

test.serial('a static pod lives by its file', async (t) => {
  const file = join(nodePaths(bench.cluster.name, 'node-1').staticPods, 'fixed.yaml');
  const manifest = (command: string) => `apiVersion: v1
kind: Pod
metadata: {name: fixed}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: main, image: busybox, imagePullPolicy: Never, command: [sh, -c, ${JSON.stringify(command)}]}
`;
  writeFileSync(file, manifest(`echo one; ${forever}`));
  const first = await bench.running(t, 'fixed-node-1');
  t.is(first.metadata?.annotations?.['kubernetes.io/config.source'], 'file');
  await until('log', async () => (await bench.kubectl('logs', 'fixed-node-1')) === 'one\n');
  writeFileSync(file, manifest(`echo two; ${forever}`));
  await until('second log', async () => (await bench.kubectl('logs', 'fixed-node-1')) === 'two\n');
  rmSync(file);
  await bench.gone('fixed-node-1');
});
