import { spawn as spawnWithPipes } from 'node:child_process';
import { spawn as spawnInTerminal } from 'node-pty';
import { messageOf } from '../errors.ts';
import { prepareExec } from '../native/index.ts';
import type { PreparedExec } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import type { ExecSession } from '../streaming/streaming-runtime.ts';
import { execSpec } from './exec.ts';
import { signalNumber } from './stop-container.ts';
import { getContainer } from './status.ts';

/** Runs a command in a container for a client at the other end of streams; resolves with its exit code. */
export async function runExecSession(runtime: Runtime, session: ExecSession): Promise<number> {
  const container = getContainer(runtime, session.containerId);
  const { command, tty } = session;
  using prepared = prepareExec(execSpec(runtime, container, { command, tty }));
  const exitCode = await (tty ? runInTerminal(prepared, session) : runWithPipes(prepared, session));
  const failure = prepared.failure();
  if (failure !== undefined)
    throw new Error(`failed to exec in container: failed to start exec: ${messageOf(failure)}`);
  return exitCode;
}

function runWithPipes({ file, args }: PreparedExec, session: ExecSession): Promise<number> {
  const { stdin, stdout, stderr, signal } = session;
  const child = spawnWithPipes(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const hangUp = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', hangUp, { once: true });
  // A command that ends without reading all its input is no failure.
  child.stdin.on('error', () => stdin?.unpipe(child.stdin));
  if (stdin === undefined) child.stdin.end();
  else stdin.pipe(child.stdin);
  if (stdout === undefined) child.stdout.resume();
  else child.stdout.pipe(stdout, { end: false });
  if (stderr === undefined) child.stderr.resume();
  else child.stderr.pipe(stderr, { end: false });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, killedBy) => {
      signal.removeEventListener('abort', hangUp);
      resolve(code ?? 128 + signalNumber(killedBy ?? 'KILL'));
    });
  });
}

function runInTerminal({ file, args }: PreparedExec, session: ExecSession): Promise<number> {
  const { stdin, stdout, signal, onResize } = session;
  const terminal = spawnInTerminal(file, args, { name: 'xterm', encoding: null });
  const hangUp = (): void => terminal.kill('SIGHUP');
  signal.addEventListener('abort', hangUp, { once: true });
  onResize(({ width, height }) => {
    if (width > 0 && height > 0) terminal.resize(width, height);
  });
  stdin?.on('data', (data: Buffer) => terminal.write(data));
  // The end of a terminal's input is a character typed into it (^D).
  stdin?.on('end', () => terminal.write('\x04'));
  terminal.onData((data) => {
    if (stdout?.write(data) !== false) return;
    terminal.pause();
    stdout.once('drain', () => terminal.resume());
  });
  return new Promise((resolve) => {
    terminal.onExit(({ exitCode, signal: killedBy }) => {
      signal.removeEventListener('abort', hangUp);
      resolve(killedBy ? 128 + killedBy : exitCode);
    });
  });
}
