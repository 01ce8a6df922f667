import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasCode, SystemError } from '../linux/system-error.ts';
import type { Controller } from './controllers/controller.ts';
import { cpu } from './controllers/cpu.ts';
import { cpuset } from './controllers/cpuset.ts';
import { devices } from './controllers/devices.ts';
import { hugetlb } from './controllers/hugetlb.ts';
import { memory } from './controllers/memory.ts';
import { pids } from './controllers/pids.ts';
import { childrenOf, makeGroup, readGroupFile } from './group-files.ts';
import { findHierarchies, type Hierarchy } from './hierarchies.ts';
import { removeGroups } from './remove-group.ts';
import type { CgroupResources, CgroupStats } from './resources.ts';
import { flatKeyed, readStats } from './stats.ts';

/** The cgroups of a host behind one face, whichever versions it has. Paths are relative to the trees' roots. */
export interface Cgroups {
  /** Makes a cgroup with all its parents in every tree, and sets its limits. Idempotent. */
  createCgroup(path: string, resources: CgroupResources): void;
  updateCgroup(path: string, resources: CgroupResources): void;
  /** The files that a process writes its pid (or 0) to, to join the cgroup in every tree. */
  cgroupProcsFiles(path: string): string[];
  /** The cgroup's directories by the name below /sys/fs/cgroup at which a container sees them; `''` on a v2 host. */
  directoriesOf(path: string): Record<string, string>;
  /** Kills every process in it and below, and removes it. Idempotent. */
  removeCgroup(path: string): Promise<void>;
  exists(path: string): boolean;
  /** Names of the cgroups right below. */
  children(path: string): string[];
  statsOf(path: string): CgroupStats;
  /** The file that counts out-of-memory kills; undefined without a memory controller. */
  outOfMemoryFile(path: string): string | undefined;
  /** How often the kernel killed a process here for lack of memory. */
  oomKillCount(path: string): number;
}

export interface CgroupsOptions {
  /** Where the trees are mounted. */
  root?: string;
  /** Given instead of looking at the mounts. */
  hierarchies?: Hierarchy[];
  /** Told once of each controller that is missing though a limit asks for it. */
  warn?: (message: string) => void;
}

const controllers: Controller[] = [cpu, memory, pids, cpuset, hugetlb, devices];

/** Opens the cgroups of the host. Throws when no tree is mounted. */
export function openCgroups(options: CgroupsOptions = {}): Cgroups {
  const { root = '/sys/fs/cgroup', warn = (message) => process.emitWarning(message) } = options;
  const hierarchies = options.hierarchies ?? findHierarchies(root);
  if (hierarchies.length === 0) throw new Error(`cgroups: no tree is mounted below ${root}`);
  const find = (name: string): Hierarchy | undefined =>
    hierarchies.find((tree) => tree.controllers.has(name));
  const directories = (path: string): string[] => hierarchies.map((tree) => join(tree.root, path));
  const warnOnce = onlyOnce(warn);

  const setLimits = (path: string, resources: CgroupResources): void => {
    for (const controller of controllers) setLimitsOf(controller, { find, path, resources, warnOnce });
    setUnified(hierarchies, { path, resources });
  };
  const outOfMemoryFile = (path: string): string | undefined => {
    const tree = find('memory');
    return tree && join(tree.root, path, tree.version === 2 ? 'memory.events' : 'memory.oom_control');
  };
  return {
    createCgroup(path, resources) {
      for (const tree of hierarchies) makeGroup(tree, path);
      setLimits(path, resources);
    },
    updateCgroup: setLimits,
    cgroupProcsFiles: (path) => directories(path).map((directory) => join(directory, 'cgroup.procs')),
    directoriesOf: (path) =>
      Object.fromEntries(
        hierarchies.map((tree) => [tree.root === root ? '' : basename(tree.root), join(tree.root, path)]),
      ),
    removeCgroup: (path) => removeGroups(directories(path)),
    exists: (path) => directories(path).every((directory) => existsSync(directory)),
    children: (path) => [...new Set(directories(path).flatMap(childrenOf))],
    statsOf: (path) => readStats(find, path),
    outOfMemoryFile,
    oomKillCount(path) {
      const file = outOfMemoryFile(path);
      return file === undefined
        ? 0
        : (flatKeyed(readGroupFile(dirname(file), basename(file)))['oom_kill'] ?? 0);
    },
  };
}

interface Setting {
  find: (name: string) => Hierarchy | undefined;
  path: string;
  resources: CgroupResources;
  warnOnce: (message: string) => void;
}

function setLimitsOf(controller: Controller, { find, path, resources, warnOnce }: Setting): void {
  const tree = find(controller.name);
  const version = tree?.version ?? 2;
  const writes = version === 1 ? controller.v1(resources) : controller.v2(resources);
  if (writes.length === 0) return;
  if (tree === undefined) {
    warnOnce(`cgroups: this host has no ${controller.name} controller; its limits have no effect`);
    return;
  }
  for (const [file, value] of writes) writeLimit(join(tree.root, path, file), value, warnOnce);
}

function setUnified(
  hierarchies: Hierarchy[],
  { path, resources }: Pick<Setting, 'path' | 'resources'>,
): void {
  const entries = Object.entries(resources.unified ?? {});
  if (entries.length === 0) return;
  const tree = hierarchies.find(({ version }) => version === 2);
  if (tree === undefined)
    throw new Error(`cgroup ${path}: "unified" limits need cgroup v2, which this host lacks`);
  for (const [file, value] of entries) {
    if (file.includes('/'))
      throw new Error(`cgroup ${path}: invalid unified file name ${JSON.stringify(file)}`);
    writeLimit(join(tree.root, path, file), value, undefined);
  }
}

function writeLimit(file: string, value: string, warnOnce: ((message: string) => void) | undefined): void {
  try {
    writeFileSync(file, value);
  } catch (error) {
    // Swap accounting, huge page sizes and the like are kernel options: without them the file is not there.
    if (warnOnce !== undefined && hasCode(error, 'ENOENT', 'EOPNOTSUPP') && existsSync(join(file, '..'))) {
      warnOnce(`cgroups: this kernel has no ${basename(file)}; the limit has no effect`);
      return;
    }
    throw error instanceof SystemError
      ? error
      : new Error(`write cgroup limit ${JSON.stringify(value)} to ${file}`, { cause: error });
  }
}

function onlyOnce(warn: (message: string) => void): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (told.has(message)) return;
    told.add(message);
    warn(message);
  };
}
