import { randomBytes } from 'node:crypto';
import { closeSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { systemClock } from '../../client/clock.ts';
import { replaceFile } from '../../linux/files.ts';
import { identify, type ProcessIdentity, signalProcess } from '../../linux/process.ts';
import { closeAll, makePipe, spawnProcess, type SpawnedProcess } from '../../linux/spawn.ts';
import { hasCode } from '../../linux/system-error.ts';
import type { ExecSpec } from './container-spec.ts';
import { planExec } from './plan-exec.ts';
import { shimProgram } from './programs.ts';
import { commandStart, type StartError, startErrorOf } from './start-error.ts';

/** A command line that runs a command in a container with its own stdin, stdout and stderr, and ends with its exit code. */
export interface PreparedExec extends Disposable {
  file: string;
  /** Without the program's own name, as spawn() takes them. */
  args: string[];
  /** After it has ended: why the command was not started, or undefined when it was. */
  failure(): StartError | undefined;
}

/**
 * Prepares a command for node-pty (`tty: true`: a terminal of the container's own devpts behind the one it is spawned on, window
 * size and all) or for pipes. Dispose it after its end.
 */
export function prepareExec(spec: ExecSpec): PreparedExec {
  const plan = planExec(spec);
  const path = join(spec.stateDir, `exec-${randomBytes(6).toString('hex')}`);
  replaceFile(path, plan.toBytes());
  return {
    file: shimProgram(),
    args: ['exec', path],
    failure() {
      const report = readReport(`${path}.failed`);
      const line = report.split('\n').find((text) => text.startsWith('failed\t'));
      return line === undefined ? undefined : startErrorOf(plan, line, commandStart);
    },
    [Symbol.dispose]() {
      rmSync(path, { force: true });
      rmSync(`${path}.failed`, { force: true });
    },
  };
}

export interface ExecResult {
  exitCode: number;
  stdout: Buffer;
  stderr: Buffer;
  /** It was killed because it took longer than `timeoutMs`. */
  timedOut: boolean;
}

export interface ExecOptions {
  /** Undefined: no limit. */
  timeoutMs?: number;
  /** Aborted: nobody waits for the result any more, and it is killed. */
  signal?: AbortSignal;
  /** Of each stream; what is more is read and dropped. Default 16 MiB, as containerd's ExecSync. */
  maxOutputBytes?: number;
}

/** Runs a command in a container to its end. Throws StartError when it cannot be started. */
export async function execInContainer(spec: ExecSpec, options: ExecOptions = {}): Promise<ExecResult> {
  const { timeoutMs, signal, maxOutputBytes = 16 * 1024 * 1024 } = options;
  using prepared = prepareExec(spec);
  const child = spawnWithPipes(prepared);
  let timedOut = false;
  const kill = () => {
    const identity = identify(child.pid);
    if (identity !== undefined) killExec(identity);
  };
  const expire = () => {
    timedOut = true;
    kill();
  };
  const cancel = timeoutMs === undefined ? undefined : systemClock.after(timeoutMs, expire);
  signal?.addEventListener('abort', kill, { once: true });
  if (signal?.aborted === true) kill();
  try {
    const outputs = Promise.all(child.outputs.map((fd) => readSome(fd, maxOutputBytes, child.ended)));
    const { exitCode } = await child.ended;
    const [stdout = Buffer.alloc(0), stderr = Buffer.alloc(0)] = await outputs;
    const failure = prepared.failure();
    if (failure !== undefined) throw failure;
    return { exitCode, stdout, stderr, timedOut };
  } finally {
    cancel?.();
    signal?.removeEventListener('abort', kill);
  }
}

const killedWithinMs = 5000; // unless the kernel holds it, as on a file system that does not answer

/**
 * Kills a command by the process that was started for it, which is its parent and collects it. Were that one killed instead, a dead
 * command would be left to the container's first process, and where this collects nothing each probe that takes too long would cost a pid.
 */
export function killExec(parent: ProcessIdentity): void {
  if (signalProcess(parent, 'SIGUSR1'))
    setTimeout(() => signalProcess(parent, 'SIGKILL'), killedWithinMs).unref();
}

export interface StreamedExec {
  pid: number;
  stdin: Writable;
  stdout: Readable;
  stderr: Readable;
  ended: SpawnedProcess['ended'];
}

/** Starts a prepared command with its streams as this process's. */
export function spawnExec({ file, args }: PreparedExec): StreamedExec {
  const [inRead, inWrite] = makePipe();
  const [outRead, outWrite] = makePipe();
  const [errRead, errWrite] = makePipe();
  try {
    const words = ['podwright-shim', ...args];
    const child = spawnProcess({ file, args: words, stdin: inRead, stdout: outWrite, stderr: errWrite });
    return {
      ...child,
      stdin: new Socket({ fd: inWrite, readable: false, writable: true }),
      stdout: new Socket({ fd: outRead, readable: true, writable: false }),
      stderr: new Socket({ fd: errRead, readable: true, writable: false }),
    };
  } catch (error) {
    closeAll(inWrite, outRead, errRead);
    throw error;
  } finally {
    closeAll(inRead, outWrite, errWrite);
  }
}

function spawnWithPipes({ file, args }: PreparedExec) {
  const [outRead, outWrite] = makePipe();
  const [errRead, errWrite] = makePipe();
  try {
    const child = spawnProcess({
      file,
      args: ['podwright-shim', ...args],
      stdout: outWrite,
      stderr: errWrite,
    });
    return { ...child, outputs: [outRead, errRead] };
  } catch (error) {
    closeAll(outRead, errRead);
    throw error;
  } finally {
    closeSync(outWrite);
    closeSync(errWrite);
  }
}

const drainMs = 200; // for output after the end, held open by what the command left running

function readSome(fd: number, maxBytes: number, ended: Promise<unknown>): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const socket = new Socket({ fd, readable: true, writable: false });
    socket.on('data', (chunk: Buffer) => {
      if (length < maxBytes) chunks.push(chunk.subarray(0, maxBytes - length));
      length += chunk.length;
    });
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.on('error', () => socket.destroy());
    void ended.then(() => setTimeout(() => socket.destroy(), drainMs).unref());
  });
}

function readReport(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
