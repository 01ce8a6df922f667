import { readdirSync, readFileSync } from 'node:fs';
import { spawn } from 'node-pty';
import test from 'ava';
import {
  capabilitySets,
  execInContainer,
  prepareExec,
  runtimeDefaultProfile,
  type ExecSpec,
} from '../../../runtime/native/index.ts';
import { until } from '../../environment.ts';
import { machine, type Machine } from './machine.ts';

/** A container that sleeps, and what a command in it needs. */
async function sleeping(vm: Machine, script = 'exec sleep 1000') {
  const { started, spec } = await vm.start(script);
  // A container has started when its shell has, which is not at its end yet.
  await until('it sleeps', () => readFileSync(`/proc/${started.pid}/cmdline`, 'utf8').startsWith('sleep'));
  const specification = (process: Partial<ExecSpec['process']> | string): ExecSpec => {
    const fields = typeof process === 'string' ? { args: ['sh', '-c', process] } : process;
    return { target: started, stateDir: spec.stateDir, process: { args: [], env: [], ...fields } };
  };
  return { started, spec, specification };
}

test('a command runs inside, its output and exit code come back', async (t) => {
  const { specification, spec } = await sleeping(machine(t), 'echo inside > /tmp/mark; exec sleep 1000');
  const { stdout, stderr, exitCode, timedOut } = await execInContainer(
    specification('cat /tmp/mark; echo err >&2; ps -o args | grep -c "^sleep"; pwd; exit 5'),
  );
  t.deepEqual(
    [stdout.toString(), stderr.toString(), exitCode, timedOut],
    ['inside\n1\n/\n', 'err\n', 5, false],
  );
  t.deepEqual(
    readdirSync(spec.stateDir).filter((name) => name.startsWith('exec')),
    [],
  );
});

test('a command has a session and a process group of its own, not those of who started it', async (t) => {
  const { specification } = await sleeping(machine(t));
  const script =
    'read -r pid name state parent group session rest < /proc/$$/stat; echo "$$ $group $session"';
  const { stdout } = await execInContainer(specification(script));
  const [pid, ...others] = stdout.toString().trim().split(' ');
  t.deepEqual(others, [pid, pid]);
});

test('it has the rights that it is given, and no others', async (t) => {
  const { specification } = await sleeping(machine(t));
  const seccomp = runtimeDefaultProfile({ capabilities: [] });
  const capabilities = capabilitySets({ drop: ['ALL'] });
  const status = 'id -u; grep -E "^(CapBnd|NoNewPrivs|Seccomp:)" /proc/self/status; pwd';
  const process = {
    args: ['sh', '-c', status],
    uid: 1000,
    gid: 1000,
    cwd: '/tmp',
    capabilities,
    seccomp,
    noNewPrivileges: true,
  };
  const { stdout } = await execInContainer(specification(process));
  t.is(stdout.toString(), '1000\nCapBnd:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n/tmp\n');
});

test('a command that is not there is an error in upstream’s words', async (t) => {
  const { specification } = await sleeping(machine(t));
  await t.throwsAsync(execInContainer(specification({ args: ['nonesuch'] })), {
    name: 'StartError',
    message: 'unable to start container process: exec: "nonesuch": executable file not found in $PATH',
  });
  await t.throwsAsync(execInContainer(specification({ args: ['/etc/passwd'] })), {
    message: 'unable to start container process: exec: "/etc/passwd": permission denied',
  });
  await t.throwsAsync(execInContainer(specification({ args: ['true'], cwd: '/nowhere' })), {
    message:
      'unable to start container process: chdir to cwd ("/nowhere") set in config.json failed: no such file or directory',
  });
});

test('no command runs in a container that has ended, nor in a stranger of its number', async (t) => {
  const vm = machine(t);
  const { specification, started } = await sleeping(vm);
  const stranger = { ...specification('true'), target: { ...started, startTime: started.startTime + 1 } };
  await t.throwsAsync(execInContainer(stranger), { name: 'StartError', code: 'ESRCH' });
  await t.throwsAsync(execInContainer({ ...specification('true'), target: { pid: 4194000, startTime: 1 } }), {
    code: 'ESRCH',
  });
});

test('a command that takes too long is killed with all its time', async (t) => {
  const { specification } = await sleeping(machine(t));
  const started = Date.now();
  const { timedOut, exitCode } = await execInContainer(specification('sleep 60'), { timeoutMs: 100 });
  t.true(timedOut);
  t.is(exitCode, 137);
  t.true(Date.now() - started < 20_000);
  const left = async () =>
    (await execInContainer(specification('ps | grep "[s]leep 60"'))).stdout.toString() === '';
  await until('the end of the command', left);
});

test('a killed command leaves nothing to a container whose first process collects nothing', async (t) => {
  const { specification } = await sleeping(machine(t));
  const limits = [{ timeoutMs: 100 }, { signal: AbortSignal.timeout(100) }];
  for (const limit of limits) await execInContainer(specification({ args: ['sleep', '60'] }), limit);
  const { stdout } = await execInContainer(specification('echo /proc/[0-9]*'));
  t.regex(stdout.toString(), /^\/proc\/1 \/proc\/\d+\n$/);
});

test('a command whose result nobody waits for any more is killed', async (t) => {
  const { specification } = await sleeping(machine(t));
  for (const signal of [AbortSignal.timeout(100), AbortSignal.abort()]) {
    const { timedOut, exitCode } = await execInContainer(specification('sleep 60'), { signal });
    t.false(timedOut);
    t.true(exitCode > 128);
  }
});

test('output beyond the limit is dropped, and the command goes on', async (t) => {
  const { specification } = await sleeping(machine(t));
  const { stdout, exitCode } = await execInContainer(specification('seq 1 100000; exit 4'), {
    maxOutputBytes: 100,
  });
  t.is(stdout.length, 100);
  t.is(exitCode, 4);
});

test('what a command leaves behind does not keep it waiting', async (t) => {
  const { specification } = await sleeping(machine(t));
  const { stdout } = await execInContainer(specification('sleep 30 & echo done'));
  t.is(stdout.toString(), 'done\n');
});

test('a terminal is the container’s own, with input, size and exit code', async (t) => {
  const { specification } = await sleeping(machine(t));
  using prepared = prepareExec(
    specification({
      args: ['sh', '-c', 'tty; stty size; read word; echo "got $word"; stty size; exit 6'],
      tty: true,
    }),
  );
  const terminal = spawn(prepared.file, prepared.args, { cols: 100, rows: 30 });
  let output = '';
  terminal.onData((data) => (output += data));
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  await until('the first size', () => output.includes('30 100'));
  terminal.resize(90, 20);
  terminal.write('hello\r');
  t.is(await ended, 6);
  t.is(prepared.failure(), undefined);
  t.is(output, '/dev/pts/0\r\n30 100\r\nhello\r\ngot hello\r\n20 90\r\n');
});

test('control-C at the terminal interrupts the command, not its keeper', async (t) => {
  const { specification } = await sleeping(machine(t));
  using prepared = prepareExec(specification({ args: ['sh', '-c', 'echo ready; sleep 100'], tty: true }));
  const terminal = spawn(prepared.file, prepared.args, {});
  let output = '';
  terminal.onData((data) => (output += data));
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  await until('the command', () => output.includes('ready'));
  terminal.write('\x03');
  t.is(await ended, 130);
});
