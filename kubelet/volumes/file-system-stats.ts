import { CommandError, run } from '../../linux/command.ts';
import type { PluginVolumeStats } from './plugin.ts';

export interface AnswerOptions {
  /** How long a file system may take to say how full it is. */
  answerMs?: number;
}

const running = new Map<string, Promise<PluginVolumeStats>>();

/** A file system has not answered: its server is gone, or its disk hangs. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
}

/**
 * How full the whole file system of a path is: for volumes that are one (upstream's MetricsStatFS). A child process asks, one at a time
 * for a path: statfs(2) waits for a dead NFS server for ever, and four that wait in Node.js' own threads would keep the daemon from all
 * other files, for all Pods. Rejects with NoAnswerError in ten seconds, with CommandError for what the kernel refuses.
 */
export const fileSystemStats = async (
  path: string,
  { answerMs = 10_000 }: AnswerOptions = {},
): Promise<PluginVolumeStats> => {
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const noAnswer = (cause?: Error) =>
    new NoAnswerError(`statfs ${path}: no answer in ${answerMs / 1000} s`, { cause });
  // Beside the command's own limit: a process that waits for a disk is not even ended by SIGKILL.
  const timer = setTimeout(() => reject(noAnswer()), answerMs);
  try {
    return await Promise.race([runningFor(path, answerMs), tooLate]);
  } catch (error) {
    throw error instanceof CommandError && error.timedOut ? noAnswer(error) : error;
  } finally {
    clearTimeout(timer);
  }
};

const runningFor = (path: string, answerMs: number): Promise<PluginVolumeStats> => {
  const existing = running.get(path);
  if (existing !== undefined) return existing;
  const made = ask(path, answerMs).finally(() => running.delete(path));
  running.set(path, made);
  return made;
};

/** As stat(1) prints it: the size of a block; blocks in all, free, free for others than root; inodes in all and free. */
const ask = async (path: string, answerMs: number): Promise<PluginVolumeStats> => {
  const options = { timeoutMs: answerMs, env: { LC_ALL: 'C' } };
  const { stdout } = await run('stat', ['-f', '-c', '%S %b %f %a %c %d', path], options);
  const [size = 0, blocks = 0, free = 0, available = 0, inodes = 0, inodesFree = 0] = stdout
    .split(' ')
    .map(Number);
  return {
    usedBytes: (blocks - free) * size,
    capacityBytes: blocks * size,
    availableBytes: available * size,
    inodes,
    inodesUsed: inodes - inodesFree,
    inodesFree,
  };
};
