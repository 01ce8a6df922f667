import type { CriClient } from '../cri/cri-client.ts';
import { CriError } from '../cri/cri-error.ts';

export interface CommandOutput {
  exitCode: number;
  /** stdout and stderr together. */
  output: string;
}

/** Runs a command by CRI ExecSync; rejects with CriError when it could not be run or took longer than `timeoutMs`. */
export async function runInContainer({
  cri,
  containerId,
  command,
  timeoutMs = 0,
  signal,
}: {
  cri: CriClient;
  containerId: string;
  command: string[];
  /** 0: no limit. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}): Promise<CommandOutput> {
  const { stdout, stderr, exitCode } = await cri.call(
    'ExecSync',
    { containerId, cmd: command, timeout: Math.ceil(timeoutMs / 1000) },
    // The runtime ends the command; the call itself waits a little longer, and for an hour without a limit.
    { timeoutMs: timeoutMs > 0 ? timeoutMs + 5000 : 3_600_000, signal },
  );
  return { exitCode, output: `${Buffer.from(stdout).toString()}${Buffer.from(stderr).toString()}` };
}

export const isTimeout = (error: unknown): boolean => error instanceof CriError && error.code === 4;
