import type { ExecutionContext } from 'ava';
import { openCgroups, type Cgroups } from '../../cgroups/index.ts';
import { expectNothingLeft } from '../environment.ts';

let count = 0;

/** The host's cgroups and a fresh path in them, which is removed at the end and must leave nothing. */
export function scratchCgroup(t: ExecutionContext): { cgroups: Cgroups; path: string; warnings: string[] } {
  const warnings: string[] = [];
  const cgroups = openCgroups({ onWarning: (message) => warnings.push(message) });
  const name = `kk-${process.pid}-${(count += 1)}`;
  t.teardown(async () => {
    await cgroups.removeCgroup(`/${name}`);
    await expectNothingLeft(name, ['cgroups', 'processes']);
  });
  return { cgroups, path: `/${name}/pod1/container`, warnings };
}

/** A shell script's beginning that moves the shell into a cgroup. */
export const joining = (cgroups: Cgroups, path: string): string =>
  cgroups
    .cgroupProcsFiles(path)
    .map((file) => `echo 0 > ${file}; `)
    .join('');
