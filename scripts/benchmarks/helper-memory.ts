import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { isRunning, sleepingPod } from './cluster.ts';
import type { BenchCluster } from './cluster.ts';
import type { Figure } from './figure.ts';

const podCount = 10;
/** The shim runs from a memfd, whose path reads `/memfd:podwright-shim (deleted)`. */
const isHelper = (executable: string): boolean =>
  /(^|[/:])(pause|podwright-shim)( \(deleted\))?$/.test(executable);

/** Proportional set size of the pause processes and shims that idle pods of one container bring with them. */
export const helperMemory = async (cluster: BenchCluster): Promise<Figure[]> => {
  const before = new Set(helperProcesses().map(({ pid }) => pid));
  const names = Array.from({ length: podCount }, (_, index) => `idle-${index}`);
  await Promise.all(names.map((name) => cluster.create(sleepingPod(name))));
  await Promise.all(names.map((name) => cluster.waitForPod(name, isRunning)));
  const added = helperProcesses().filter(({ pid }) => !before.has(pid));
  const kilobytes = added.reduce((sum, { pssKilobytes }) => sum + pssKilobytes, 0);
  await cluster.removePods(names);
  const ours = kilobytes / 1024 / podCount;
  return [
    {
      name: `memory of helper processes an idle Pod (${(added.length / podCount).toFixed(1)} processes)`,
      unit: 'MB',
      ours,
      goal: 'under 2 MB',
      samples: [ours],
    },
  ];
};

const helperProcesses = (): { pid: string; pssKilobytes: number }[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        if (!isHelper(readlinkSync(`/proc/${pid}/exe`))) return [];
        const [, pss = '0'] =
          /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
        return [{ pid, pssKilobytes: Number(pss) }];
      } catch {
        // A kernel thread, or a process that has just ended.
        return [];
      }
    });
