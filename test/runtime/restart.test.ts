import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { findProcesses } from '../../linux/find-processes.ts';
import { isAlive } from '../../linux/process.ts';
import { until } from '../environment.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { ended, execText, logOf, runPod } from './pod.ts';

let daemon: Daemon;

test.before(async () => {
  daemon = await startDaemon();
});

test.after.always('nothing is left behind', async (t) => {
  t.deepEqual(await daemon.end(), []);
});

const infoOf = async (containerId: string): Promise<{ pid: number; shimPid: number }> => {
  const { info } = await daemon.cri.runtime.ContainerStatus({ containerId, verbose: true });
  return JSON.parse(info['info'] ?? '{}') as { pid: number; shimPid: number };
};

test.serial(
  'after SIGKILL of the daemon containers keep their processes, and no exit code and no log line is lost',
  async (t) => {
    const pod = await runPod(daemon, {
      linux: { securityContext: { namespaceOptions: { network: 'POD' } } },
    });
    const go = join(daemon.scratch, 'go');
    const mounts = [{ hostPath: daemon.scratch, containerPath: '/scratch' }];
    const staying = await pod.run('while :; do sleep 0.05; done');
    const leaving = await pod.run(
      'i=0; while [ ! -e /scratch/go ]; do i=$((i+1)); echo line $i; sleep 0.01; done; echo last $i; exit 9',
      { mounts },
    );
    const created = await pod.create('exit 6');
    const before = await infoOf(staying);
    const addresses = (await daemon.cri.runtime.PodSandboxStatus({ podSandboxId: pod.id })).status?.network;
    const { status: running } = await daemon.cri.runtime.ContainerStatus({ containerId: leaving });
    await daemon.kill();
    writeFileSync(go, '');
    await until('the container ended while no daemon ran', () =>
      readFileSync(running?.logPath ?? '', 'utf8').includes('last'),
    );
    await daemon.start();

    t.deepEqual(await infoOf(staying), before);
    t.is(
      (await daemon.cri.runtime.ContainerStatus({ containerId: staying })).status?.state,
      'CONTAINER_RUNNING',
    );
    t.is(await execText(daemon, staying, 'echo still there'), 'still there');
    const { status: sandbox } = await daemon.cri.runtime.PodSandboxStatus({ podSandboxId: pod.id });
    t.is(sandbox?.state, 'SANDBOX_READY');
    t.deepEqual(sandbox?.network, addresses);
    const end = await ended(daemon, leaving);
    t.like(end, { exitCode: 9, reason: 'Error' });
    const lines = logOf(end);
    const count = Number(lines.at(-1)?.split(' ')[1]);
    t.deepEqual(lines, [
      ...Array.from({ length: count }, (_, index) => `line ${index + 1}`),
      `last ${count}`,
    ]);
    await daemon.cri.runtime.StartContainer({ containerId: created });
    t.is((await ended(daemon, created)).exitCode, 6);
    await daemon.cri.runtime.StopContainer({ containerId: staying, timeout: 0 });
    t.is((await ended(daemon, staying)).exitCode, 137);
  },
);

test.serial(
  'a sandbox that ended while no daemon ran is not ready afterwards, and is removed without a trace',
  async (t) => {
    const pod = await runPod(daemon);
    const { info } = await daemon.cri.runtime.PodSandboxStatus({ podSandboxId: pod.id, verbose: true });
    const { pid } = JSON.parse(info['info'] ?? '{}') as { pid: number };
    await daemon.kill();
    process.kill(pid, 'SIGKILL');
    await daemon.start();
    const { status } = await daemon.cri.runtime.PodSandboxStatus({ podSandboxId: pod.id });
    t.is(status?.state, 'SANDBOX_NOTREADY');
  },
);

test.serial('a second runtime on the same directories ends before it touches anything', async (t) => {
  // As of a container that is being created: its record is not there yet.
  const making = join(daemon.stateDir, 'containers', 'f'.repeat(64));
  mkdirSync(making);
  await t.throwsAsync(daemon.start(), { message: 'the runtime ended before it was ready' });
  t.true(existsSync(making));
  rmdirSync(making);
});

test.serial('a container whose shim was killed too has ended: 255, Unknown', async (t) => {
  const pod = await runPod(daemon);
  const containerId = await pod.run('sleep 1000');
  const { pid, shimPid } = await infoOf(containerId);
  await daemon.kill();
  process.kill(shimPid, 'SIGKILL');
  process.kill(pid, 'SIGKILL');
  await until('the container is gone', () => !isAlive({ pid, startTime: startTimeNow(pid) }));
  await daemon.start();
  t.like(await ended(daemon, containerId), { exitCode: 255, reason: 'Unknown' });
});

for (const [title, point, script] of [
  ['before its shim was there', 'before-spawn', undefined],
  ['while its shim waits for ever', 'after-spawn', 'mkfifo'],
] as const)
  test.serial(
    `a start during which the daemon was killed, ${title}, has failed: 128, StartError`,
    async (t) => {
      const pod = await runPod(daemon);
      const logPath = join(pod.config.logDirectory ?? '', 'log');
      mkdirSync(dirname(logPath), { recursive: true });
      if (script !== undefined) execFileSync(script, [logPath]); // nobody reads it, so that it cannot be opened for writing
      const containerId = await pod.create('sleep 1000', { logPath: 'log' });
      await dieWhileStarting(containerId, point);
      await daemon.start();
      const { status } = await daemon.cri.runtime.ContainerStatus({ containerId });
      t.like(status, { state: 'CONTAINER_EXITED', exitCode: 128, reason: 'StartError' });
      t.is(status?.message, 'the runtime was killed while it started the container');
      t.deepEqual(
        findProcesses((words) => words.includes(containerId)),
        [],
      );
    },
  );

test.serial(
  'a start during which the daemon was killed, and which goes on without it, is found',
  async (t) => {
    const pod = await runPod(daemon);
    const containerId = await pod.create('sleep 1000');
    await dieWhileStarting(containerId, 'after-spawn');
    await daemon.start();
    const { status } = await daemon.cri.runtime.ContainerStatus({ containerId });
    t.is(status?.state, 'CONTAINER_RUNNING');
    t.is(await execText(daemon, containerId, 'echo there'), 'there');
  },
);

async function dieWhileStarting(containerId: string, point: string): Promise<void> {
  await daemon.kill();
  await daemon.start({ PODWRIGHT_FAILPOINTS: `runtime.launch.${point}=crash` });
  await daemon.cri.runtime.StartContainer({ containerId }).catch(() => undefined);
  await daemon.died();
}

test.serial('killed at any moment while Pods come and go, the daemon finds everything again', async (t) => {
  for (const afterMs of [3, 9, 17, 31, 53]) {
    const coming = Promise.allSettled(
      [0, 1, 2].map(async () => {
        const pod = await runPod(daemon, {
          linux: { securityContext: { namespaceOptions: { network: 'POD' } } },
        });
        await pod.run('sleep 1000');
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, afterMs)); // the moment is the test's point
    await daemon.kill();
    await coming;
    await daemon.start();
    const { items } = await daemon.cri.runtime.ListPodSandbox({});
    await Promise.all(items.map(({ id }) => daemon.cri.runtime.RemovePodSandbox({ podSandboxId: id })));
  }
  t.deepEqual((await daemon.cri.runtime.ListContainers({})).containers, []);
});

function startTimeNow(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19]);
  } catch {
    return -1; // gone
  }
}
