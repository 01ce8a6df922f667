import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { mount } from '../../../linux/mount.ts';
import { signalProcess } from '../../../linux/process.ts';
import { readContainerState } from '../../../runtime/native/index.ts';
import { scratch } from '../../linux/scratch.ts';
import { machine } from './machine.ts';

test('runs a command to its end: output in the log, exit code in the record', async (t) => {
  const before = Date.now();
  const { exitCode, stdout, stderr, log, ...record } = await machine(t).outcome(
    'echo out; echo err >&2; exit 3',
  );
  t.like({ exitCode, stdout, stderr }, { exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  t.like(record, { oomKilled: false, signal: undefined });
  t.true(record.startedAtNs <= record.finishedAtNs);
  t.true(Number(record.startedAtNs / 1000000n) >= before - 1);
  t.true(Math.abs(Date.parse(log[0]?.time ?? '') - Number(record.finishedAtNs / 1000000n)) < 10_000);
});

test('the disk tells a later daemon the same', async (t) => {
  const { spec, started, ended } = await machine(t).start('while [ ! -e /go ]; do sleep 0.01; done; exit 9');
  const { startTime, shim, startedAtNs } = started;
  t.deepEqual(readContainerState(spec.stateDir), {
    started: { pid: started.pid, startTime, shim, startedAtNs },
  });
  writeFileSync(`/proc/${started.pid}/root/go`, '');
  const exit = await ended;
  t.is(exit.exitCode, 9);
  t.deepEqual(readContainerState(spec.stateDir).exit, exit);
  t.is(statSync(join(spec.stateDir, 'exit')).mode & 0o777, 0o600);
  t.is(statSync(spec.logPath ?? '').mode & 0o777, 0o640);
});

test('a record of the end that finds no room is none, and the end is told all the same', async (t) => {
  const vm = machine(t);
  const stateDir = join(vm.directory, 'small');
  mkdirSync(stateDir);
  mount({ type: 'tmpfs', target: stateDir, data: 'size=64k' });
  const { started, ended } = await vm.start('exec sleep 1000', { stateDir });
  const ballast = join(stateDir, 'ballast');
  t.throws(() => writeFileSync(ballast, Buffer.alloc(128 * 1024)), { code: 'ENOSPC' });
  signalProcess(started, 'SIGKILL');
  t.like(await ended, { exitCode: 255, lost: true });
});

test('an end is told with its exit code also where nothing more can be watched', (t) => {
  const stateDir = scratch(t);
  const module = (path: string) => JSON.stringify(join(import.meta.dirname, '../../..', path));
  const script = `const { spawn } = await import('node:child_process');
    const { writeFileSync } = await import('node:fs');
    const { identify } = await import(${module('linux/process.ts')});
    const { watchPath } = await import(${module('linux/inotify.ts')});
    const { watchExit } = await import(${module('runtime/native/index.ts')});
    const stateDir = ${JSON.stringify(stateDir)};
    const shim = spawn('sleep', ['1000']);
    const identity = identify(shim.pid);
    const watch = () => watchExit(stateDir, { ...identity, shim: identity, startedAtNs: 0n }, ({ exitCode }) => {
      process.stdout.write(String(exitCode));
      process.exit();
    });
    try {
      watchPath(stateDir, ['movedTo'], () => {});
    } catch ({ code }) {
      process.stdout.write(code + ' ');
    }
    try {
      watch();
      writeFileSync(stateDir + '/exit', '{"exitCode":7,"oomKilled":false,"startedAt":"1","finishedAt":"2"}');
    } finally {
      shim.kill('SIGKILL');
    }
    setInterval(() => {}, 1000);`;
  const command = 'echo 0 > /proc/sys/user/max_inotify_watches && exec "$0" --input-type=module -e "$1"';
  const args = ['--user', '--map-root-user', 'sh', '-c', command, process.execPath, script];
  t.is(execFileSync('unshare', args, { encoding: 'utf8' }), 'ENOSPC 7');
});

test('a signal is 128 and its number', async (t) => {
  const namespaces = { network: 'host', ipc: 'new', uts: 'new', pid: 'host' } as const;
  t.like(await machine(t).outcome('kill -TERM $$', { namespaces }), { exitCode: 143, signal: 15 });
});

test('lines longer than 16 KiB come in parts, and so does what lacks its newline', async (t) => {
  const script = `head -c 40000 /dev/zero | tr '\\0' x; echo; head -c 16384 /dev/zero | tr '\\0' y; echo; printf 'a\\r\\n\\nend'`;
  const vm = machine(t);
  const { log } = await vm.outcome({
    args: ['busybox', 'sh', '-c', script.replaceAll('| tr', '| busybox tr')],
  });
  t.deepEqual(
    log.map(({ tag, text }) => [tag, text.length, text.slice(0, 3)]),
    [
      ['P', 16384, 'xxx'],
      ['P', 16384, 'xxx'],
      ['F', 40000 - 2 * 16384, 'xxx'],
      ['F', 16384, 'yyy'],
      ['F', 1, 'a'],
      ['F', 0, ''],
      ['P', 3, 'end'],
    ],
  );
});

test('no line is lost, however many there are', async (t) => {
  const { stdout } = await machine(t).outcome('seq 1 20000');
  t.is(stdout, Array.from({ length: 20000 }, (_, index) => `${index + 1}\n`).join(''));
});

test('arguments, environment and directory arrive as they are', async (t) => {
  const args = [
    'sh',
    '-c',
    'printf "<%s>" "$@"; printf "[%s]" "$ODD"; pwd',
    'name',
    'a b',
    '',
    'tab\tnew\nline',
    'back\\slash\\n',
  ];
  const { stdout } = await machine(t).outcome({
    args,
    env: ['ODD=x\n\ty\\', 'PATH=/bin'],
    cwd: '/made/on/the way',
  });
  t.is(stdout, '<a b><><tab\tnew\nline><back\\slash\\n>[x\n\ty\\]/made/on/the way\n');
});

test('the environment is what was given, and a PATH when there is none', async (t) => {
  const { stdout } = await machine(t).outcome({ args: ['env'], env: ['A=1'] });
  t.is(stdout, 'A=1\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n');
});

test('a container has a root, processes and devices of its own', async (t) => {
  const vm = machine(t);
  const { stdout, exitCode } = await vm.outcome(`
    ls /; echo $$; set -- /proc/[0-9]*; echo $#; ls /proc/$$/fd; for link in fd stdin ptmx; do readlink /dev/$link; done
    for device in null zero full random urandom tty; do test -c /dev/$device || echo no $device; done
    echo hidden > /dev/null; ls /sys/kernel >/dev/null && echo sys; cat /proc/self/cgroup | grep -v ':/$'`);
  t.is(
    stdout,
    'bin\ndev\netc\nhome\nproc\nsys\ntmp\n1\n1\n0\n1\n2\n/proc/self/fd\n/proc/self/fd/0\npts/ptmx\nsys\n',
  );
  t.is(exitCode, 1, 'grep found every cgroup to be the root');
  t.false(existsSync(join(vm.image, 'proc')), 'the image is untouched');
});

test('what a container writes is in its upper directory', async (t) => {
  const { spec, ended } = await machine(t).start('echo mine > /etc/passwd; mkdir -p /a/b');
  await ended;
  t.is(readFileSync(join(spec.rootfs.upperDirectory, 'etc/passwd'), 'utf8'), 'mine\n');
  t.true(existsSync(join(spec.rootfs.upperDirectory, 'a/b')));
});

test('the host sees no mount of the container', async (t) => {
  const vm = machine(t);
  const { started } = await vm.start('sleep 100');
  t.false(readFileSync('/proc/self/mountinfo', 'utf8').includes(vm.mark));
  t.true(readFileSync(`/proc/${started.pid}/mountinfo`, 'utf8').includes(vm.mark));
});

test('nothing of the host is left in sight or open', async (t) => {
  const { stdout } = await machine(t).outcome('cat /proc/self/mountinfo; ls -l /proc/self/fd');
  const points = stdout
    .split('\n')
    .filter((line) => line.includes(' - '))
    .map((line) => line.split(' ')[4]);
  t.deepEqual(
    points.filter((point) => !/^\/($|proc|sys|dev)/.test(point ?? '')),
    [],
  );
  t.is(points[0], '/');
});

test('ps tells shims and containers by their names', async (t) => {
  const vm = machine(t);
  const { spec, started } = await vm.start('sleep 100', { label: 'default/web/nginx' });
  const words = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
  t.deepEqual(words(started.shim.pid), ['podwright-shim', spec.id, 'default/web/nginx']);
  t.is(readFileSync(`/proc/${started.shim.pid}/comm`, 'utf8'), 'podwright-shim\n');
});

test('a log directory that is missing is an error, not a silent container', async (t) => {
  const vm = machine(t);
  await t.throwsAsync(vm.start('true', { logPath: join(vm.directory, 'missing/log') }), {
    name: 'StartError',
    code: 'ENOENT',
  });
});

test('a plan that is too long for an argument list is refused by the kernel, and said', async (t) => {
  const vm = machine(t);
  const error = await t.throwsAsync(vm.start({ args: ['true', 'x'.repeat(200_000)] }), {
    name: 'StartError',
  });
  t.regex(error?.message ?? '', /argument list too long/i);
  t.throws(() => vm.specification('true') && writeFileSync(join(vm.directory, 'x\0'), ''), {
    code: 'ERR_INVALID_ARG_VALUE',
  });
  await t.throwsAsync(vm.start({ args: ['true', 'nul\0byte'] }), { message: /^argument: contains nul byte/ });
});

test('two containers at once keep their logs apart', async (t) => {
  const vm = machine(t);
  mkdirSync(join(vm.directory, 'shared'));
  const both = await Promise.all(
    ['one', 'two'].map((name) => vm.outcome(`for i in 1 2 3; do echo ${name}; sleep 0.01; done`)),
  );
  t.deepEqual(
    both.map(({ stdout }) => stdout),
    ['one\none\none\n', 'two\ntwo\ntwo\n'],
  );
});
