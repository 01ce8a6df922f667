import { execFileSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CommandError, run } from '../../linux/command.ts';
import { unmountBelow } from '../../linux/mount-info.ts';
import { identify, signalProcess, waitForExit } from '../../linux/process.ts';
import { openCgroups } from '../../cgroups/index.ts';
import { startDaemon } from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { ended, execText, runPod } from './pod.ts';
import { patience, until } from '../environment.ts';

let daemon: Daemon;

test.before(async () => {
  daemon = await startDaemon();
});

test.after.always('nothing is left behind', async (t) => {
  t.deepEqual(await daemon.end(), []);
});

const ownNetwork = { linux: { securityContext: { namespaceOptions: { network: 'POD' as const } } } };

/** Files on a disk with these bytes in them; what is on a tmpfs is not looked into. */
async function filesWith(bytes: string, ...directories: string[]): Promise<string[]> {
  const search = ['-xdev', '-type', 'f', '-exec', 'grep', '-lsaF', bytes, '{}', '+'];
  const { stdout } = await run('find', [...directories, ...search]).catch((error: unknown) => {
    if (error instanceof CommandError && error.exitCode === 1) return error; // grep found nothing
    throw error;
  });
  return stdout.split('\n').filter(Boolean);
}

test.serial(
  'environment and command of a container are on no disk, nor those of a command in it',
  async (t) => {
    const pod = await runPod(daemon);
    const bytes = `on-no-disk-${process.pid}`;
    const running = await pod.run('while :; do sleep 0.05; done', {
      envs: [{ key: 'PASSWORD', value: Buffer.from(bytes) }],
    });
    await pod.run(`test -n "${bytes}"; sleep 1000`);
    await pod.create(`echo ${bytes}`);
    t.is(await execText(daemon, running, 'echo $PASSWORD'), bytes);
    const during = daemon.cri.runtime.ExecSync({
      containerId: running,
      cmd: ['sleep', `${0.5 * patience}`],
      timeout: 5 * patience,
    });
    t.deepEqual(await filesWith(bytes, daemon.stateDir, daemon.runDir), []);
    await during;
    await daemon.kill();
    await daemon.start();
    t.is(await execText(daemon, running, 'echo $PASSWORD'), bytes, 'kept in memory for the next daemon');
    t.deepEqual(await filesWith(bytes, daemon.stateDir, daemon.runDir), []);
  },
);

test.serial('no other user of the host comes to the files of a Pod, who can know its id', async (t) => {
  const pod = await runPod(daemon);
  const containerId = await pod.run('echo own > /own; echo shared > /dev/shm/shared; sleep 1000');
  const files = [
    join(daemon.stateDir, 'containers', containerId, 'rootfs/upper/own'),
    join(daemon.runDir, 'runtime/sandboxes', pod.id, 'shm/shared'),
  ];
  const cat = (file: string, user: { uid?: number; gid?: number }): string =>
    execFileSync('cat', [file], { encoding: 'utf8', stdio: 'pipe', ...user });
  await until('both files', () => files.map((file) => cat(file, {})).join('') === 'own\nshared\n');
  const nobody = { uid: 65534, gid: 65534 };
  for (const file of files) t.throws(() => cat(file, nobody), { message: /Permission denied/ });
});

test.serial(
  'after a reboot what ran has ended with 255, what had ended is known, addresses are free',
  async (t) => {
    const pod = await runPod(daemon, ownNetwork);
    const over = await pod.run('exit 7');
    await ended(daemon, over);
    const running = await pod.run('sleep 1000');
    const created = await pod.create('true');
    const lost = await runPod(daemon, ownNetwork);
    await reboot();
    // As when the power went before the record was on the disk.
    rmSync(join(daemon.stateDir, 'sandboxes', lost.id), { recursive: true });
    await daemon.start();

    const { status } = await daemon.cri.runtime.PodSandboxStatus({ podSandboxId: pod.id });
    t.is(status?.state, 'SANDBOX_NOTREADY');
    t.like(await ended(daemon, over), { exitCode: 7, reason: 'Error' });
    t.like(await ended(daemon, running), { exitCode: 255, reason: 'Unknown' });
    t.like(await ended(daemon, created), { exitCode: 255, reason: 'Unknown' });
    t.deepEqual(readdirSync(join(daemon.stateDir, 'cni')), [`${pod.id}.json`]);
    await daemon.cri.runtime.RemovePodSandbox({ podSandboxId: pod.id });
    t.deepEqual(readdirSync(join(daemon.stateDir, 'cni')), []);
  },
);

/** Ends all processes and forgets all that is in memory. */
async function reboot(): Promise<void> {
  await daemon.kill();
  const cgroups = openCgroups();
  const processes = cgroups.processes(daemon.cgroupRoot).flatMap((pid) => identify(pid) ?? []);
  for (const process of processes) signalProcess(process, 'SIGKILL');
  await Promise.all(processes.map((process) => waitForExit(process)));
  await cgroups.removeCgroup(daemon.cgroupRoot);
  unmountBelow(daemon.runDir);
  rmSync(daemon.runDir, { recursive: true });
}
