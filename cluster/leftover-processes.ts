import { processIds } from '../linux/find-processes.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess, waitForExit } from '../linux/process.ts';
import { belongsTo } from './belonging.ts';

const DEADLINE_MS = 10_000;

/** Kills every process that belongs to a cluster, also a daemon without a pid file, and waits until it is gone. */
export async function endProcessesOf(cluster: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = findProcessesOf(cluster);
    if (found.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(
        `down: processes that SIGKILL does not end: ${found.map(({ pid }) => pid).join(', ')}; the kernel holds them ` +
          '(/proc/PID/stack shows where): see to that, then run this again',
      );
    }
    for (const known of found) signalProcess(known, 'SIGKILL');
    await Promise.allSettled(found.map((known) => waitForExit(known, { signal: AbortSignal.timeout(1000) })));
  }
}

function findProcessesOf(cluster: string): ProcessIdentity[] {
  return processIds()
    .filter((pid) => pid !== process.pid && belongsTo(pid, cluster))
    .flatMap((pid) => identify(pid) ?? [])
    .filter(isAlive);
}
