import { execa } from 'execa';

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

/** Runs a program (no shell) to its end and returns what it printed, final newline removed. Throws CommandError. */
export async function run(
  command: string,
  args: string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { input, timeoutMs, env, cwd, signal } = options;
  const result = await execa(command, args, {
    reject: false,
    maxBuffer: 64 * 1024 * 1024,
    ...(input === undefined ? { stdin: 'ignore' as const } : { input }),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs, killSignal: 'SIGKILL' as const }),
    ...(env === undefined ? {} : { env }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const { exitCode, timedOut } = result;
  const stdout = String(result.stdout ?? '');
  const stderr = String(result.stderr ?? '');
  if (!result.failed) return { stdout, stderr };
  const ending = { exitCode, signal: result.signal, timedOut, timeoutMs, code: result.code };
  throw new CommandError(command, args, { ...ending, why: whyFailed(ending), stdout, stderr });
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
