import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readMountInfo } from '../../../linux/mount-info.ts';
import { namespaceId } from '../../../linux/namespaces.ts';
import { isAlive, readStat, signalProcess, waitForExit } from '../../../linux/process.ts';
import { openCgroups, type Cgroups } from '../../../cgroups/index.ts';
import {
  execInContainer,
  readContainerState,
  watchExit,
  type ContainerSpec,
  type ExitRecord,
} from '../../../runtime/native/index.ts';
import { skipUnless, until } from '../../environment.ts';
import { machine } from './machine.ts';

const cgroupOf = (cgroups: Cgroups, path: string): NonNullable<ContainerSpec['cgroup']> => {
  const [processesFile] = cgroups.cgroupProcsFiles(path);
  return { entrance: cgroups.entranceOf(path), ...(processesFile === undefined ? {} : { processesFile }) };
};

const types = ['net', 'ipc', 'uts', 'pid', 'mnt'] as const;

test('pause holds the namespaces, and has nothing to offer', async (t) => {
  const vm = machine(t);
  const sandbox = await vm.launch({
    hostname: 'web',
    sysctls: { 'net.ipv4.ip_forward': '1' },
    label: `default/${vm.mark}`,
  });
  const own = types.filter((type) => namespaceId(sandbox.pid, type) !== namespaceId('self', type));
  t.deepEqual(own, ['net', 'ipc', 'uts', 'mnt']);
  t.is(readFileSync(`/proc/${sandbox.pid}/cmdline`, 'utf8'), `/pause\0default/${vm.mark}\0`);
  const status = readFileSync(`/proc/${sandbox.pid}/status`, 'utf8');
  t.regex(status, /^Uid:\t65535\t/m);
  t.regex(status, /^CapBnd:\t0000000000000000$/m);
  t.regex(status, /^NoNewPrivs:\t1$/m);
  t.deepEqual(readdirSync(`/proc/${sandbox.pid}/root/`), ['pause'], 'its root directory leads nowhere');
  t.throws(() => writeFileSync(`/proc/${sandbox.pid}/root/x`, ''), { code: 'EROFS' });
  // Three times nothing, and its signals, which it opens itself.
  await until('four open files', () => readdirSync(`/proc/${sandbox.pid}/fd`).length === 4);
  signalProcess(sandbox, 'SIGTERM');
  await waitForExit(sandbox);
  t.true(existsSync(sandbox.netnsPath), 'the network outlives it, for the plugins');
});

test('containers of a sandbox share network, ipc and host name, not processes and mounts', async (t) => {
  const vm = machine(t);
  const sandbox = await vm.launch({ hostname: 'web' });
  const path = (type: string) => ({ path: `/proc/${sandbox.pid}/ns/${type}` });
  const namespaces = {
    network: { path: sandbox.netnsPath },
    ipc: path('ipc'),
    uts: path('uts'),
    pid: 'new',
  } as const;
  const first = await vm.start('sleep 100', { namespaces });
  const second = await vm.start('sleep 100', { namespaces });
  const shared = types.filter(
    (type) => namespaceId(first.started.pid, type) === namespaceId(second.started.pid, type),
  );
  t.deepEqual(shared, ['net', 'ipc', 'uts']);
  t.is(
    (await vm.outcome('hostname; cat /proc/net/dev | tail -n +3 | wc -l', { namespaces })).stdout,
    'web\n1\n',
  );
});

test('with one pid namespace pause is PID 1 and reaps what others leave', async (t) => {
  const vm = machine(t);
  const sandbox = await vm.launch({ namespaces: { network: 'new', ipc: 'new', uts: 'new', pid: 'new' } });
  const namespaces = {
    network: { path: sandbox.netnsPath },
    ipc: 'new',
    uts: 'new',
    pid: { path: `/proc/${sandbox.pid}/ns/pid` },
  } as const;
  const { stdout } = await vm.outcome(
    'ps -o pid,args | grep "[/]pause" | head -1; (sh -c "sleep 0.05; touch /done" & ); until [ -e /done ]; do :; done; until [ $(ps -o stat | grep -c Z) = 0 ]; do :; done; echo reaped',
    { namespaces },
  );
  t.regex(stdout, /^ *1 \/pause [^\n]*\nreaped\n$/);
  t.true(isAlive(sandbox));
});

test('a root of another container of the pod cannot be reached through pause', async (t) => {
  const vm = machine(t);
  const sandbox = await vm.launch({ namespaces: { network: 'new', ipc: 'new', uts: 'new', pid: 'new' } });
  const namespaces = {
    network: 'host',
    ipc: 'new',
    uts: 'new',
    pid: { path: `/proc/${sandbox.pid}/ns/pid` },
  } as const;
  const { stdout } = await vm.outcome('ls /proc/1/root/ 2>&1', { namespaces });
  t.regex(stdout, /^pause\n$|Permission denied|Operation not permitted/);
});

test('the end of a container without a pid namespace of its own takes the rest of it along', async (t) => {
  const vm = machine(t);
  const cgroups = openCgroups();
  const path = `/${vm.mark}/c`;
  cgroups.createCgroup(path);
  t.teardown(() => cgroups.removeCgroup(`/${vm.mark}`));
  const { exitCode } = await vm.outcome('sleep 1000 & (sleep 1000 &) ; exit 2', {
    namespaces: { network: 'host', ipc: 'new', uts: 'new', pid: 'host' },
    cgroup: cgroupOf(cgroups, path),
  });
  t.is(exitCode, 2);
  await until('the killed have ended', () => cgroups.processes(path).length === 0);
});

test('killed for lack of memory is recorded as such', async (t) => {
  const vm = machine(t);
  const cgroups = openCgroups();
  const path = `/${vm.mark}/c`;
  cgroups.createCgroup(path, { memoryLimitBytes: 16 << 20, memorySwapLimitBytes: 16 << 20 });
  t.teardown(() => cgroups.removeCgroup(`/${vm.mark}`));
  const oomFile = cgroups.oomFile(path);
  const cgroup = { ...cgroupOf(cgroups, path), ...(oomFile === undefined ? {} : { oomFile }) };
  t.like(await vm.outcome('exec tail /dev/zero', { cgroup }), { exitCode: 137, signal: 9, oomKilled: true });
  t.like(await vm.outcome('kill -9 $$; true', { cgroup: cgroupOf(cgroups, path) }), { oomKilled: false });
});

test('containers outlive the daemon that started them, with every line and the exit code', async (t) => {
  const vm = machine(t);
  const spec = vm.specification(
    'i=0; while [ ! -e /go ]; do i=$((i+1)); echo $i; sleep 0.01; done; echo last; exit 7',
  );
  const script = `const { startContainer } = await import(${JSON.stringify(join(import.meta.dirname, '../../../runtime/native/index.ts'))});
    await startContainer(JSON.parse(process.argv[1])); process.kill(process.pid, 'SIGKILL');`;
  const daemon = spawn(
    process.execPath,
    [...process.execArgv, '--input-type=module', '-e', script, JSON.stringify(spec)],
    {
      stdio: 'inherit',
    },
  );
  t.deepEqual(await once(daemon, 'exit'), [null, 'SIGKILL']);
  const { started, exit } = readContainerState(spec.stateDir);
  if (started === undefined) throw new Error('not started');
  t.is(exit, undefined);
  t.true(isAlive(started) && isAlive(started.shim));
  t.not(readStat(started.shim.pid)?.parentPid, daemon.pid);
  // Watching doesn't keep this process alive; the polling does.
  let ended: ExitRecord | undefined;
  watchExit(spec.stateDir, started, (record) => (ended = record));
  writeFileSync(`/proc/${started.pid}/root/go`, '');
  t.is((await until('the end', () => ended)).exitCode, 7);
  const lines = readFileSync(spec.logPath ?? '', 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' ')[3]);
  t.deepEqual(lines, [...Array.from({ length: lines.length - 1 }, (_, index) => String(index + 1)), 'last']);
});

test('a shim that is killed loses the exit code, and that is said', async (t) => {
  const vm = machine(t);
  const { started, ended } = await vm.start('while :; do sleep 1; done');
  signalProcess(started.shim, 'SIGKILL');
  await waitForExit(started.shim);
  t.true(isAlive(started));
  signalProcess(started, 'SIGKILL');
  t.like(await until('the end', () => ended), { exitCode: 255, lost: true });
});

test('at a container’s end nobody is killed whose number begins like one that is listed', async (t) => {
  const vm = machine(t);
  const bystander = spawn('sleep', ['1000'], { stdio: 'ignore' });
  t.teardown(() => bystander.kill('SIGKILL'));
  const pid = String(bystander.pid);
  // A number that no process can have, and whose beginning is the bystander's.
  let listed = pid;
  while (Number(listed) <= 4_194_304) listed += '9';
  const namespaces = { network: 'host', ipc: 'new', uts: 'new', pid: 'host' } as const;
  for (const boundary of [4095, 4096, 2 * 4095, 2 * 4096]) {
    const processesFile = join(vm.directory, `procs-${boundary}`);
    const filler =
      '0\n'.repeat((boundary - pid.length) / 2) + ((boundary - pid.length) % 2 === 1 ? '\n' : '');
    writeFileSync(processesFile, `${filler}${listed}\n`);
    await vm.outcome('true', { namespaces, cgroup: { processesFile } });
    t.is(bystander.exitCode ?? bystander.signalCode, null, `a boundary after ${boundary} bytes`);
  }
});

test('a command starts beside a container that has no process in its own cgroup, but in one below', async (t) => {
  const root = readMountInfo().find(({ type, mountPoint }) => type === 'cgroup2' && isBusyable(mountPoint));
  if (skipUnless(t, root !== undefined, 'no cgroup v2 hierarchy with a controller to hand on')) return;
  const vm = machine(t);
  const own = join(root?.mountPoint ?? '', vm.mark);
  mkdirSync(join(own, 'container/init'), { recursive: true });
  const entrance = (directory: string) => ({
    tasksFiles: [],
    unifiedDirectory: directory,
    unifiedMountPoint: root?.mountPoint ?? '',
  });
  for (const path of [own, join(own, 'container')])
    writeFileSync(join(path, 'cgroup.subtree_control'), `+${controllerOf(path)}`);
  const { started, spec } = await vm.start('sleep 1000', {
    cgroup: { entrance: entrance(join(own, 'container/init')) },
  });
  t.teardown(async () => {
    signalProcess(started, 'SIGKILL');
    await waitForExit(started);
    for (const name of ['container/init', 'container', ''])
      await until(`removal of ${name}`, () => (rmdirSync(join(own, name)), true));
  });
  const { stdout } = await execInContainer({
    target: started,
    stateDir: spec.stateDir,
    process: { args: ['grep', '0::', '/proc/self/cgroup'], env: [] },
    cgroup: entrance(join(own, 'container')),
  });
  t.is(stdout.toString(), '0::/\n', 'as seen in the cgroup namespace of the container');
});

const controllerOf = (path: string): string =>
  readFileSync(join(path, 'cgroup.controllers'), 'utf8').trim().split(' ')[0] ?? '';

/** True when children of this cgroup have a controller that they can hand on. */
const isBusyable = (mountPoint: string): boolean =>
  readFileSync(join(mountPoint, 'cgroup.subtree_control'), 'utf8').trim() !== '';
