import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import test from 'ava';
import { run } from '../../linux/command.ts';
import { identify, isAlive, readStat, signalProcess, startTimeOf, waitForExit } from '../../linux/process.ts';
import { sealProgram } from '../../linux/sealed-program.ts';
import { makePipe, spawnProcess } from '../../linux/spawn.ts';
import { until } from '../environment.ts';

const sleeper = () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error('sleep did not start');
  return { child, identity };
};

test('a process is known by pid and start time', async (t) => {
  const { child, identity } = sleeper();
  t.true(isAlive(identity));
  t.false(
    isAlive({ ...identity, startTime: identity.startTime - 1 }),
    'an earlier process of the same number',
  );
  t.false(signalProcess({ ...identity, startTime: 1 }, 'SIGKILL'), 'no signal for somebody else');
  t.true(isAlive(identity));
  const closed = once(child, 'close');
  t.true(signalProcess(identity, 'SIGTERM'));
  await waitForExit(identity);
  await closed;
  t.false(isAlive(identity));
  t.false(signalProcess(identity, 'SIGTERM'));
  t.is(startTimeOf(identity.pid), undefined);
});

test('waiting can be given up, and what has ended needs no waiting', async (t) => {
  const { child, identity } = sleeper();
  const abort = new AbortController();
  const waiting = waitForExit(identity, { signal: abort.signal });
  abort.abort(new Error('enough'));
  await t.throwsAsync(waiting, { message: 'enough' });
  const ended = once(child, 'close');
  child.kill();
  await ended;
  await waitForExit(identity);
});

test('a process whose first thread alone has ended is alive until the others have', async (t) => {
  // exit(2), which ends the thread that calls it; Node.js has some more.
  const script = `require('koffi').load('libc.so.6').func('long syscall(long, long)')(${process.arch === 'arm64' ? 93 : 60}, 0)`;
  const child = spawn(process.execPath, ['-e', script], { stdio: 'ignore', cwd: import.meta.dirname });
  const identity = identify(child.pid ?? 0);
  if (identity === undefined) throw new Error('node did not start');
  await until('the first thread is a zombie', () => readStat(identity.pid)?.state === 'Z');
  t.true(isAlive(identity));
  const ended = once(child, 'close');
  t.true(signalProcess(identity, 'SIGKILL'));
  await waitForExit(identity);
  t.false(isAlive(identity));
  await ended;
});

test('runs a command, and says what went wrong with one', async (t) => {
  t.deepEqual(await run('sh', ['-c', 'cat; echo warning >&2'], { input: 'in\n' }), {
    stdout: 'in',
    stderr: 'warning',
  });
  await t.throwsAsync(run('sh', ['-c', 'echo no >&2; exit 3']), {
    name: 'CommandError',
    message: 'sh -c echo no >&2; exit 3: exit code 3: no',
  });
  await t.throwsAsync(run('no-such-program', []), { message: 'no-such-program : command not found' });
  await t.throwsAsync(run('sleep', ['60'], { timeoutMs: 30 }), { message: 'sleep 60: not done after 30 ms' });
  await t.throwsAsync(run('sh', ['-c', 'kill -9 $$']), { message: 'sh -c kill -9 $$: killed by SIGKILL' });
  t.is((await run('sh', ['-c', 'echo $A; pwd'], { env: { A: 'b' }, cwd: '/' })).stdout, 'b\n/');
});

test('spawns with exactly the environment, directory and files given', async (t) => {
  const [read, write] = makePipe();
  const script = 'env | grep -v ^PWD= | grep -v ^_= | grep -v ^SHLVL=; pwd; ls /proc/$$/fd; exit 7';
  const child = spawnProcess({
    file: '/bin/sh',
    args: ['sh', '-c', script],
    cwd: '/etc',
    env: { A: '1' },
    stdout: write,
  });
  closeSync(write);
  t.deepEqual(await child.ended, { exitCode: 7, signal: undefined });
  const output = Buffer.alloc(100);
  t.is(output.toString('utf8', 0, readSync(read, output)), 'A=1\n/etc\n0\n1\n2\n', 'nothing else is open');
  closeSync(read);
});

test('tells the signal that ended a spawned process, and that a program is missing', async (t) => {
  const child = spawnProcess({ file: '/bin/sh', args: ['sh', '-c', 'kill -TERM $$'] });
  t.deepEqual(await child.ended, { exitCode: 143, signal: 'SIGTERM' });
  t.throws(() => spawnProcess({ file: '/nonexistent', args: ['x'] }), {
    code: 'ENOENT',
    message: 'start /nonexistent: no such file or directory (ENOENT)',
  });
});

test('a sealed program runs and cannot be written', async (t) => {
  const path = sealProgram('/bin/true');
  t.deepEqual(await spawnProcess({ file: path, args: ['true'] }).ended, { exitCode: 0, signal: undefined });
  t.deepEqual(readFileSync(path), readFileSync('/bin/true'));
  t.throws(() => writeSync(openSync(path, 'r+'), 'x'), { code: 'EPERM' });
});
