import { existsSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasCode } from '../linux/system-error.ts';
import { childrenOf, readGroupFile } from './group-files.ts';

const DEADLINE_MS = 10_000;

/** Kills what is in the groups and below, and removes them, deepest first. Groups that are not there are fine. */
export async function removeGroups(directories: string[]): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  let left = directories.filter((directory) => existsSync(directory));
  for (let pauseMs = 1; left.length > 0; pauseMs = Math.min(pauseMs * 2, 50)) {
    for (const directory of left) killAll(directory);
    left = left.filter((directory) => !removeTree(directory));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(
        `remove cgroup ${left.join(', ')}: still busy after ${DEADLINE_MS / 1000} s of SIGKILL`,
      );
    }
    // A killed process leaves its group only when it has been torn down; there is no event for that on v1.
    await delay(pauseMs);
  }
}

function killAll(directory: string): void {
  if (existsSync(join(directory, 'cgroup.kill'))) {
    writeFileSync(join(directory, 'cgroup.kill'), '1');
    return;
  }
  for (const child of childrenOf(directory)) killAll(join(directory, child));
  const pids = readGroupFile(directory, 'cgroup.procs')?.split('\n').filter(Boolean).map(Number) ?? [];
  for (const pid of pids) kill(pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error;
  }
}

/** False when something below is still in use. */
function removeTree(directory: string): boolean {
  const emptied = childrenOf(directory).every((child) => removeTree(join(directory, child)));
  if (!emptied) return false;
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}
