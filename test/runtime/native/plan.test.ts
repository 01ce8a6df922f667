import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { createPlan } from '../../../runtime/native/plan.ts';
import { shimProgram } from '../../../runtime/native/programs.ts';
import { until } from '../../environment.ts';
import { scratch } from '../../linux/scratch.ts';

/** What the shim reports about a plan for a sandbox. */
function report(directory: string, plan: string): { status: number | null; stdout: string } {
  const path = join(directory, 'plan');
  writeFileSync(path, plan);
  const { status, stdout } = spawnSync(shimProgram(), ['sandbox', path], { encoding: 'utf8' });
  return { status, stdout };
}

test('a plan is lines of fields, and remembers its steps by line', (t) => {
  const plan = createPlan();
  plan.comment('two\nlines');
  plan.step('argument', 'a\tb\nc\\d');
  plan.tolerate('write', '/x', 0);
  plan.ifThere('maskin', '/y');
  t.is(plan.toBytes().toString(), '# two lines\nargument\ta\\tb\\nc\\\\d\n?write\t/x\t0\n~maskin\t/y\n');
  t.deepEqual(plan.stepAt(2), ['argument', 'a\tb\nc\\d']);
  t.deepEqual(plan.stepAt(3), ['write', '/x', '0']);
  t.deepEqual(plan.argumentsOf(), ['a\tb\nc\\d']);
  t.deepEqual(plan.stepAt(99), []);
});

test('the shim refuses what it does not understand, with line and errno', (t) => {
  const directory = scratch(t);
  const ENOSYS = 38;
  t.deepEqual(report(directory, '# one\nnonsense\tx\n'), { status: 1, stdout: `failed\t2\t${ENOSYS}\t\n` });
  t.deepEqual(report(directory, 'fork\t0\nnonsense\n'), { status: 1, stdout: `failed\t2\t${ENOSYS}\t\n` });
  t.deepEqual(
    report(directory, 'fork\t0\nargument\ttrue\n'),
    { status: 1, stdout: 'failed\t2\t8\t\n' },
    'no exec at the end',
  );
});

test('the shim refuses a plan that is missing, empty or cut short', (t) => {
  const directory = scratch(t);
  const [ENOENT, EINVAL] = [2, 22];
  t.is(report(directory, '').stdout, `failed\t0\t${EINVAL}\t\n`);
  t.is(report(directory, 'fork\t0').stdout, `failed\t0\t${EINVAL}\t\n`);
  t.is(report(directory, 'x'.repeat(8192)).stdout, `failed\t0\t${EINVAL}\t\n`);
  const { stdout } = spawnSync(shimProgram(), ['sandbox', join(directory, 'missing')], { encoding: 'utf8' });
  t.is(stdout, `failed\t0\t${ENOENT}\t\n`);
});

test('a tolerated failure is a warning, what is not there is passed over', (t) => {
  const directory = scratch(t);
  const plan =
    '?write\t/nowhere\tx\n~write\t/nowhere\tx\nfork\t0\nargument\ttrue\nenvironment\tPATH=/bin\ncommand\nexec\n';
  const { status, stdout } = report(directory, plan);
  t.is(status, 0);
  t.regex(stdout, /^warning\t1\t2\t\nstarted\t\d+\t\d+\t\d+\t\d+\t\d+\n$/);
});

test('a command whose keeper is killed before it has asked for a signal at that end is not run', async (t) => {
  const directory = scratch(t);
  const path = join(directory, 'plan');
  const mark = join(directory, 'mark');
  const gate = join(directory, 'gate');
  writeFileSync(mark, '');
  spawnSync('mkfifo', [gate]);
  // To write into a FIFO waits for a reader.
  const steps = ['fork\t0', `write\t${mark}\tx`, `write\t${gate}\tx`, 'deathsignal\t9'];
  const command = ['argument\tsh', 'argument\t-c', 'argument\techo ran', 'environment\tPATH=/usr/bin:/bin'];
  writeFileSync(path, [...steps, ...command, 'command', 'exec', ''].join('\n'));
  const keeper = spawn(shimProgram(), ['exec', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  await until('the child is there', () => readFileSync(mark, 'utf8') === 'x');
  keeper.kill('SIGKILL');
  await once(keeper, 'exit');
  const reader = openSync(gate, constants.O_RDONLY | constants.O_NONBLOCK);
  t.is(await text(keeper.stdout), '');
  closeSync(reader);
});

test('the shim says how it is used', (t) => {
  const { status, stderr } = spawnSync(shimProgram(), [], { encoding: 'utf8' });
  t.is(status, 2);
  t.regex(stderr, /^usage: podwright-shim ID /);
});
