import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { openCgroups } from '../../cgroups/index.ts';
import { mount, unmount } from '../../linux/mount.ts';
import { hasCode } from '../../linux/system-error.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { runPod } from './pod.ts';

let daemon: Daemon;

test.before(async () => {
  daemon = await startDaemon();
  await daemon.kill();
  mount({ type: 'tmpfs', target: daemon.stateDir, data: 'size=1m' });
  await daemon.start();
});

test.after.always('nothing is left behind', async (t) => {
  unmount(daemon.stateDir, { lazy: true, ifMounted: true });
  t.deepEqual(await daemon.end(), []);
});

/** Takes all the room that the disk has. */
function fill(path: string): void {
  const fd = openSync(path, 'w');
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    if (!hasCode(error, 'ENOSPC')) throw error;
  } finally {
    closeSync(fd);
  }
}

test('Pods end on a full disk, which their end is to free, and the daemon starts on it', async (t) => {
  const { runtime } = daemon.cri;
  const [one, other] = [await runPod(daemon), await runPod(daemon)];
  const running = await one.run('exec sleep 1000');
  const broken = await one.create('', { command: ['/nonesuch'] });
  const stateOf = async (containerId: string) => (await runtime.ContainerStatus({ containerId })).status;
  const infoOf = async (answer: Promise<{ info: Record<string, string> }>) =>
    JSON.parse((await answer).info['info'] ?? '{}') as { pid: number; cgroupPath: string };
  const { cgroupPath } = await infoOf(runtime.ContainerStatus({ containerId: running, verbose: true }));
  const { pid: pause } = await infoOf(runtime.PodSandboxStatus({ podSandboxId: other.id, verbose: true }));
  const ballast = join(daemon.stateDir, 'ballast');
  fill(ballast);

  await t.throwsAsync(runtime.StartContainer({ containerId: broken }));
  t.like(await stateOf(broken), { state: 'CONTAINER_EXITED', exitCode: 128, reason: 'StartError' });
  await t.throwsAsync(runPod(daemon), { message: /ENOSPC/ });
  t.is(readdirSync(join(daemon.runDir, 'runtime', 'sandboxes')).length, 2, 'nothing is left of it');
  await runtime.StopContainer({ containerId: running, timeout: 0 });
  t.like(await stateOf(running), { state: 'CONTAINER_EXITED', exitCode: 137 });
  t.false(openCgroups().exists(cgroupPath));
  await runtime.StopPodSandbox({ podSandboxId: one.id });

  await daemon.kill();
  process.kill(pause, 'SIGKILL');
  await daemon.start();
  t.like(await stateOf(running), { state: 'CONTAINER_EXITED', exitCode: 137 });
  for (const { id } of [one, other]) {
    const { status } = await runtime.PodSandboxStatus({ podSandboxId: id });
    t.is(status?.state, 'SANDBOX_NOTREADY');
    await runtime.RemovePodSandbox({ podSandboxId: id });
  }
  rmSync(ballast);
  await runtime.RemovePodSandbox({ podSandboxId: (await runPod(daemon)).id });
});
