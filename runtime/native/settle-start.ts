import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findProcesses } from '../../linux/find-processes.ts';
import { signalProcess, type ProcessIdentity } from '../../linux/process.ts';
import { readContainerState } from './state.ts';

/** A start was begun: it may be under way still, when the daemon that began it has been killed. */
export const wasStartBegun = (stateDir: string): boolean => existsSync(join(stateDir, 'plan'));

const patienceMs = 10_000;

/**
 * Returns when a start that was begun by a daemon which is dead has come to its end: the shim has written that the container runs, or
 * has ended without. A shim that does neither in ten seconds is killed, together with what it has forked. What it had started
 * already when the signal came is in the container's cgroup.
 */
export async function settleStart({ id, stateDir }: { id: string; stateDir: string }): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (let shims = findShims(id); shims.length > 0 && !isRunning(stateDir); shims = findShims(id)) {
    const lateMs = performance.now() - deadline;
    if (lateMs > patienceMs) return; // not even a signal ends it, and the other containers wait for this one
    if (lateMs > 0) for (const shim of shims) signalProcess(shim, 'SIGKILL');
    await sleep(20);
  }
}

const isRunning = (stateDir: string): boolean => readContainerState(stateDir).started !== undefined;

// A child of the shim has its command line until it becomes the container's command.
const findShims = (id: string): ProcessIdentity[] =>
  findProcesses(([program, first]) => program === 'podwright-shim' && first === id);
