import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { identify, isAlive, type ProcessIdentity, signalProcess, waitForExit } from '../linux/process.ts';
import { clusterPaths } from './paths.ts';

const DEADLINE_MS = 10_000;

/**
 * Kills every process that belongs to a cluster and waits until it is gone. A process belongs to it when it is in a
 * cgroup of the cluster, or works with a path of the cluster (a shim without a cgroup, a daemon without a pid file).
 */
export async function endProcessesOf(cluster: string): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = findProcessesOf(cluster);
    if (found.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`down: processes that SIGKILL does not end: ${found.map(({ pid }) => pid).join(', ')}`);
    }
    for (const known of found) signalProcess(known, 'SIGKILL');
    await Promise.allSettled(found.map((known) => waitForExit(known, { signal: AbortSignal.timeout(1000) })));
  }
}

function findProcessesOf(cluster: string): ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map(Number)
    .filter((pid) => belongsTo(pid, cluster))
    .flatMap((pid) => identify(pid) ?? [])
    .filter(isAlive);
}

function belongsTo(pid: number, cluster: string): boolean {
  const inCgroup = readProc(pid, 'cgroup')
    .split('\n')
    .some((line) => line.includes(`:/podwright/${cluster}/`));
  if (inCgroup) return true;
  // A component that runs alone, started by hand: its title is all that its command line shows.
  if (
    readProc(pid, 'cmdline')
      .replaceAll('\0', '')
      .match(/^podwright \S+ --name (\S+)$/)?.[1] === cluster
  )
    return true;
  const { state, run } = clusterPaths(cluster);
  const args = readProc(pid, 'cmdline').split('\0');
  if (!/podwright/.test(`${args[0]} ${linkOf(pid)} ${args[2] ?? ''}`)) return false;
  return args.some((arg) => arg.startsWith(`${state}/`) || arg.startsWith(`${run}/`));
}

/** A process may end while it is looked at: then it belongs to nobody. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return ''; // as above, or a kernel thread
  }
}
