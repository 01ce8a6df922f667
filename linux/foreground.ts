import { execa } from 'execa';
import { constants } from 'node:os';

/**
 * Runs a program with this process's terminal, as a shell would, and returns its exit code: 128 and the signal's number when a
 * signal ended it (bash(1), EXIT STATUS). SIGINT and SIGQUIT of the terminal reach the program, which decides what they mean.
 * Rejects with ExecaError when the program can't be started. For commands of a person; daemons use run() of command.ts.
 */
export async function runInForeground(
  command: string,
  args: string[],
  { env = {} }: { env?: Record<string, string> } = {},
): Promise<number> {
  const ignore = (): void => undefined;
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.on(signal, ignore);
  try {
    const result = await execa(command, args, { stdio: 'inherit', env, reject: false });
    if (result.exitCode !== undefined) return result.exitCode;
    if (result.signal !== undefined) return 128 + constants.signals[result.signal as NodeJS.Signals];
    throw result;
  } finally {
    for (const signal of ['SIGINT', 'SIGQUIT'] as const) process.off(signal, ignore);
  }
}
