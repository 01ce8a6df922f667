import type { Readable, Writable } from 'node:stream';
import { spawn as spawnInTerminal } from 'node-pty';
import { identify, signalProcess, waitForExit } from '../../linux/process.ts';
import { messageOf } from '../errors.ts';
import { killExec, prepareExec, spawnExec } from '../native/index.ts';
import type { PreparedExec } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import type { ExecSession } from '../streaming/streaming-runtime.ts';
import { execSpec } from './exec.ts';
import { getContainer } from './status.ts';
import { terminalEnds } from './terminal-ends.ts';

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

async function runWithPipes(prepared: PreparedExec, session: ExecSession): Promise<number> {
  const { stdin, stdout, stderr, signal } = session;
  const child = spawnExec(prepared);
  const parent = identify(child.pid);
  // Nobody takes what is still in the pipes.
  const hangUp = (): void => {
    if (parent !== undefined) killExec(parent);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  signal.addEventListener('abort', hangUp, { once: true });
  if (signal.aborted) hangUp();
  // A command that ends without reading all its input is no failure.
  child.stdin.on('error', () => stdin?.unpipe(child.stdin));
  if (stdin === undefined) child.stdin.end();
  else stdin.pipe(child.stdin);
  const outputs = [passOutput(child.stdout, stdout), passOutput(child.stderr, stderr)];
  const { exitCode } = await child.ended;
  await Promise.all(outputs);
  child.stdin.destroy();
  signal.removeEventListener('abort', hangUp);
  return exitCode;
}

/** Resolves when all of it has been passed on; without anyone who takes it, when all of it has been read. */
function passOutput(from: Readable, to: Writable | undefined): Promise<void> {
  if (to === undefined || to.destroyed) from.resume();
  else from.pipe(to, { end: false });
  // pipe() stops reading then.
  to?.once('close', () => from.resume());
  return new Promise((resolve) => {
    from.once('close', () => resolve());
    from.on('error', () => from.destroy());
  });
}

/** For a command whose terminal has been hung up to end by itself. */
const graceMs = 5000;

async function runInTerminal({ file, args }: PreparedExec, session: ExecSession): Promise<number> {
  const { stdin, stdout, signal, onResize } = session;
  const terminal = spawnInTerminal(file, args, { name: 'xterm', encoding: null });
  using ends = terminalEnds(terminal);
  const parent = identify(terminal.pid);
  let killing: NodeJS.Timeout | undefined;
  // It reads on, for a command that cannot write cannot end either.
  const hangUp = (): void => {
    terminal.resume();
    if (parent === undefined) return;
    signalProcess(parent, 'SIGHUP');
    killing = setTimeout(() => killExec(parent), graceMs);
  };
  signal.addEventListener('abort', hangUp, { once: true });
  if (signal.aborted) hangUp();
  let over = false;
  onResize(({ width, height }) => {
    if (over || width <= 0 || height <= 0) return;
    try {
      terminal.resize(width, height);
    } catch {
      over = true; // it has no file descriptor any more, which is told a moment later
    }
  });
  ends.input.on('error', () => stdin?.unpipe(ends.input)); // as above
  stdin?.pipe(ends.input);
  let ended = parent === undefined;
  terminal.onData((data) => {
    if (signal.aborted || stdout?.write(data) !== false || ended) return;
    terminal.pause();
    stdout.once('drain', () => terminal.resume());
  });
  // What is left then is little, and not for node-pty to throw away while a slow client takes what came before.
  if (parent !== undefined)
    void waitForExit(parent).then(() => {
      ended = true;
      terminal.resume();
    });
  const exitCode = await new Promise<number>((resolve) => {
    terminal.onExit(({ exitCode: code, signal: killedBy }) => resolve(killedBy ? 128 + killedBy : code));
  });
  over = true; // a later file may have the number of its descriptor
  if (!signal.aborted) stdout?.write(ends.rest());
  stdin?.unpipe(ends.input);
  signal.removeEventListener('abort', hangUp);
  clearTimeout(killing);
  return exitCode;
}
