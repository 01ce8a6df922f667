import { readFileSync, readlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { clusterPaths } from './paths.ts';

/** The program that every daemon and every subcommand runs. */
export const MAIN = join(import.meta.dirname, '..', 'cli', 'main.ts');

const MARK = 'PODWRIGHT_BELONGS_TO';

/**
 * What a cluster's own processes have in their environment, and what they start inherits: a skopeo whose daemon was killed is known by
 * it. Containers don't get it, since their environment is made anew; they are known by their cgroup.
 */
export const belongingTo = (cluster: string): Record<string, string> => ({ [MARK]: cluster });

/** Subcommands that have no work left when their cluster goes. Others (`kubectl`, `status`) only ask it something. */
const WORKERS = new Set([
  'control-plane',
  'apiserver',
  'controllers',
  'scheduler',
  'storage',
  'node-daemon',
  'kubelet',
  'runtime',
  'image',
  'logs',
]);

/**
 * Whether a process is one of a cluster's own: in a cgroup of it, marked by its environment, podwright at work for it, or a shim of it.
 * Never by a path somewhere in its arguments: an editor, a `tail` or an `rsync` of a person has that too.
 */
export function belongsTo(pid: number, cluster: string): boolean {
  return (
    isInCgroup(pid, `/podwright/${cluster}`) ||
    readProc(pid, 'environ').split('\0').includes(`${MARK}=${cluster}`) ||
    isWorker(pid, cluster) ||
    isShim(pid, cluster)
  );
}

/** A line is hierarchy:controllers:path (cgroups(7)). */
const isInCgroup = (pid: number, cgroup: string): boolean =>
  readProc(pid, 'cgroup')
    .split('\n')
    .map((line) => line.split(':').slice(2).join(':'))
    .some((path) => isAtOrBelow(path, cgroup));

function isWorker(pid: number, cluster: string): boolean {
  if (!/\/node( \(deleted\))?$/.test(linkOf(pid, 'exe'))) return false;
  // A component that has started shows its title, and nothing else.
  const title = /^podwright \S+ --name (\S+)$/.exec(readProc(pid, 'cmdline').replace(/\0+$/, ''));
  if (title !== null) return title[1] === cluster;
  const args = readProc(pid, 'cmdline').split('\0').slice(0, -1);
  const main = args.findIndex((arg) => resolve(linkOf(pid, 'cwd'), arg) === MAIN);
  if (main < 0 || !WORKERS.has(args[main + 1] ?? '')) return false;
  return nameIn(args.slice(main + 2)) === cluster;
}

/** As commander reads it: the last one counts. */
function nameIn(flags: string[]): string {
  const at = flags.findLastIndex((flag) => flag === '--name' || flag.startsWith('--name='));
  if (at < 0) return 'default';
  return flags[at] === '--name' ? (flags[at + 1] ?? '') : (flags[at] ?? '').slice('--name='.length);
}

/** The shim runs from sealed memory, in its container's folder or with a plan from there (runtime/native/shim.c). */
function isShim(pid: number, cluster: string): boolean {
  if (!/^\/memfd:podwright-shim( |$)/.test(linkOf(pid, 'exe'))) return false;
  const plan = readProc(pid, 'cmdline').split('\0')[2] ?? '';
  const { state, run } = clusterPaths(cluster);
  return [linkOf(pid, 'cwd'), plan].some((path) => isAtOrBelow(path, run) || isAtOrBelow(path, state));
}

const isAtOrBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`);

/** A process may end while it is looked at: then it belongs to nobody. */
function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function linkOf(pid: number, file: 'exe' | 'cwd'): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`);
  } catch {
    return ''; // as above, or a kernel thread
  }
}
