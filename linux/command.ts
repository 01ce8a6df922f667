import { Socket } from 'node:net';
import { join } from 'node:path';
import { isExecutable } from './is-executable.ts';
import { closeAll, makePipe, spawnProcess } from './spawn.ts';
import type { SpawnedProcess } from './spawn.ts';
import { SystemError } from './system-error.ts';

export interface CommandOptions {
  input?: string | Buffer;
  timeoutMs?: number;
  /** Added to this process's environment. */
  env?: Record<string, string>;
  cwd?: string;
  /** Ends the command when aborted. */
  signal?: AbortSignal;
}

export interface CommandResult {
  stdout: string;
  stderr: string;
}

/** A command that could not be started, ended with another exit code than 0, was killed, or took too long. */
export class CommandError extends Error {
  readonly command: string;
  readonly args: string[];
  /** Undefined when it did not exit by itself. */
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;

  constructor(command: string, args: string[], failure: Failure) {
    super(
      `${command} ${args.join(' ')}: ${failure.why}${failure.stderr === '' ? '' : `: ${failure.stderr.trim()}`}`,
    );
    this.name = 'CommandError';
    this.command = command;
    this.args = args;
    this.exitCode = failure.exitCode;
    this.signal = failure.signal;
    this.stdout = failure.stdout;
    this.stderr = failure.stderr;
    this.timedOut = failure.timedOut;
  }
}

interface Failure extends CommandResult {
  why: string;
  exitCode: number | undefined;
  signal: string | undefined;
  timedOut: boolean;
}

/**
 * Runs a program (no shell) to its end and returns what it printed, final newline removed. Throws CommandError. By posix_spawn, as
 * all programs are started here: a fork of a process of 150 MB takes the event loop fourteen milliseconds.
 */
export async function run(
  command: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { timeoutMs } = options;
  const child = start(command, args, options);
  let timedOut = false;
  const limit = setTimeout(
    () => {
      timedOut = true;
      child.kill('SIGKILL');
    },
    Math.min(timeoutMs ?? longestMs, longestMs),
  );
  if (timeoutMs === undefined) clearTimeout(limit);
  const abort = () => child.kill('SIGTERM');
  options.signal?.addEventListener('abort', abort, { once: true });
  if (options.signal?.aborted === true) abort();
  const { exitCode, signal } = await child.ended;
  clearTimeout(limit);
  options.signal?.removeEventListener('abort', abort);
  const [stdout = '', stderr = ''] = (await child.output).map(withoutFinalNewline);
  if (signal === undefined && exitCode === 0) return { stdout, stderr };
  const ending = { exitCode: signal === undefined ? exitCode : undefined, signal, timedOut, timeoutMs };
  throw new CommandError(command, args, {
    ...ending,
    why: whyFailed({ ...ending, code: undefined }),
    stdout,
    stderr,
  });
}

const longestMs = 2 ** 31 - 1;

const withoutFinalNewline = (output: Buffer): string => output.toString().replace(/\r?\n$/, '');

interface Child extends SpawnedProcess {
  /** stdout and stderr, whole. */
  output: Promise<Buffer[]>;
}

function start(command: string, args: string[], { input, env, cwd }: CommandOptions): Child {
  const environment = { ...process.env, ...env } as Record<string, string>;
  const [inRead, inWrite] = input === undefined ? [undefined, undefined] : makePipe();
  const [outRead, outWrite] = makePipe();
  const [errRead, errWrite] = makePipe();
  try {
    const child = spawnProcess({
      file: findProgram(command, environment['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin'),
      args: [command, ...args],
      env: environment,
      ...(cwd === undefined ? {} : { cwd }),
      ...(inRead === undefined ? {} : { stdin: inRead }),
      stdout: outWrite,
      stderr: errWrite,
    });
    if (inWrite !== undefined) give(inWrite, input ?? '');
    const output = Promise.all([outRead, errRead].map((fd) => readAll(fd, child.ended)));
    return { ...child, output };
  } catch (error) {
    closeAll(outRead, errRead, inWrite);
    const code = error instanceof SystemError ? error.code : undefined;
    const ending = { exitCode: undefined, signal: undefined, timedOut: false };
    const why = whyFailed({ ...ending, timeoutMs: undefined, code });
    throw new CommandError(command, args, { ...ending, why, stdout: '', stderr: '' });
  } finally {
    closeAll(inRead, outWrite, errWrite);
  }
}

/**
 * As execvp(3): a name without a slash is looked for in PATH. What npm puts there is passed over: under `npm test` a package's
 * program of the same name (there is an `nft` that traces imports) would come before the system's.
 */
function findProgram(command: string, path: string): string {
  if (command.includes('/')) return command;
  return (
    path
      .split(':')
      .filter((directory) => !directory.endsWith('/node_modules/.bin'))
      .map((directory) => join(directory, command))
      .find(isExecutable) ?? command
  );
}

function give(fd: number, input: string | Buffer): void {
  const pipe = new Socket({ fd, readable: false, writable: true });
  pipe.on('error', () => pipe.destroy()); // it has ended without reading everything
  pipe.end(input);
}

const drainMs = 1000; // for output that comes after the end, from what the program left running

function readAll(fd: number, ended: Promise<unknown>): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.on('data', (chunk: Buffer) => chunks.push(chunk));
    pipe.on('close', () => resolve(Buffer.concat(chunks)));
    pipe.on('error', () => pipe.destroy());
    void ended.then(() => setTimeout(() => pipe.destroy(), drainMs).unref());
  });
}

interface Ending {
  exitCode: number | undefined;
  signal: string | undefined;
  timedOut: boolean;
  timeoutMs: number | undefined;
  code: string | undefined;
}

function whyFailed({ exitCode, signal, timedOut, timeoutMs, code }: Ending): string {
  if (timedOut) return `not done after ${timeoutMs} ms`;
  if (exitCode !== undefined) return `exit code ${exitCode}`;
  if (signal !== undefined) return `killed by ${signal}`;
  return code === 'ENOENT' ? 'command not found' : `could not be started (${code ?? 'unknown error'})`;
}
