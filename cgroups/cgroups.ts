import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join, posix } from 'node:path';
import { hasCode } from '../linux/system-error.ts';
import { type CgroupDirectory, type Controller, writeValue } from './controllers/controller.ts';
import { cpu } from './controllers/cpu.ts';
import { cpuacct, cpuUsageNs } from './controllers/cpuacct.ts';
import { cpuset } from './controllers/cpuset.ts';
import { devices } from './controllers/devices.ts';
import { freezer } from './controllers/freezer.ts';
import { hugetlb } from './controllers/hugetlb.ts';
import { memory, memoryStats, oomFile, type MemoryStats } from './controllers/memory.ts';
import { pids, processCount } from './controllers/pids.ts';
import { entranceOf, type CgroupEntrance } from './entrance.ts';
import { detectHierarchies, type Hierarchy } from './hierarchy.ts';
import { killAll, processesBelow, removeIfEmpty, removeTree } from './remove.ts';
import type { CgroupResources } from './resources.ts';
import { delegateControllers } from './unified.ts';

const controllers: Controller[] = [cpu, cpuacct, cpuset, memory, pids, hugetlb, devices, freezer];

export interface CgroupOptions {
  /** Where the hierarchies are mounted. */
  root?: string;
  /** In place of what is mounted below `root`. */
  hierarchies?: Hierarchy[];
  /** How long processes that were killed may take to end. Default 10000. */
  endWithinMs?: number;
  /** Called once for each thing that this host cannot do. */
  onWarning?: (message: string) => void;
}

export interface CgroupStats extends MemoryStats {
  cpuUsageNs: number;
  /** Processes and threads. */
  pids: number;
}

/** The cgroups of a host. Paths are relative to every hierarchy's root, such as `/podwright/c1/node-1/kubepods`. */
export interface Cgroups {
  hierarchies: Hierarchy[];
  /** Makes a cgroup and what is missing above it, then sets its resources. One that is there is updated. */
  createCgroup(path: string, resources?: CgroupResources): void;
  /** Sets what is given. Throws CgroupWriteError: file, value, errno. */
  updateCgroup(path: string, resources: CgroupResources): void;
  exists(path: string): boolean;
  /** Names of the cgroups directly below. */
  children(path: string): string[];
  /** The files that list the cgroup's processes, one for each hierarchy; a pid written into them moves that process, slowly. */
  cgroupProcsFiles(path: string): string[];
  /** How a process that is being started gets into the cgroup in every hierarchy, without a wait (see entrance.ts). */
  entranceOf(path: string): CgroupEntrance;
  /** All processes in the cgroup and below. */
  processes(path: string): number[];
  /** Kills all processes in the cgroup and below; resolves when they have ended. */
  killAll(path: string): Promise<void>;
  /** Kills what is left in the cgroup and removes it with all below. Nothing there is no error. */
  removeCgroup(path: string): Promise<void>;
  /** Removes a cgroup that nobody is in or below, and leaves any other alone, also one that somebody is just coming into. */
  removeIfEmpty(path: string): void;
  /** Throws ENOENT when the cgroup is gone. What no controller counts is 0. */
  statsOf(path: string): CgroupStats;
  /** The file whose line `oom_kill N` counts OOM kills; undefined without a memory controller. */
  oomFile(path: string): string | undefined;
  /** The cgroup's directories for a container to see: name below /sys/fs/cgroup (`''`: itself) → directory of the host. */
  directoriesFor(path: string): Record<string, string>;
}

/** Finds out which hierarchies there are and serves them as one. */
export function openCgroups(options: CgroupOptions = {}): Cgroups {
  const { root = '/sys/fs/cgroup', hierarchies = detectHierarchies(root) } = options;
  const { endWithinMs = 10_000 } = options;
  const warn = once(options.onWarning ?? (() => undefined));
  const directoryIn = (hierarchy: Hierarchy, path: string): CgroupDirectory => {
    return {
      version: hierarchy.version,
      path: join(hierarchy.mountPoint, posix.normalize(`/${path}`)),
      warn,
    };
  };
  const directoriesOf = (path: string) => hierarchies.map((hierarchy) => directoryIn(hierarchy, path));
  const directoryWith = (controller: string, path: string) => {
    const hierarchy = hierarchies.find((one) => one.controllers.includes(controller));
    return hierarchy === undefined ? undefined : directoryIn(hierarchy, path);
  };
  const updateCgroup = (path: string, resources: CgroupResources) => {
    for (const controller of controllers) {
      const directory = directoryWith(controller.name, path);
      if (directory === undefined) warnIfAsked(controller.name, resources, warn);
      else controller.apply(directory, resources);
    }
    applyUnified(hierarchies, path, resources, directoryIn);
  };
  return {
    hierarchies,
    createCgroup(path, resources = {}) {
      for (const hierarchy of hierarchies) makeWithParents(hierarchy, path, directoryIn);
      updateCgroup(path, resources);
    },
    updateCgroup,
    exists: (path) => directoriesOf(path).some((directory) => existsSync(directory.path)),
    children: (path) => [...new Set(directoriesOf(path).flatMap((directory) => childrenOf(directory.path)))],
    cgroupProcsFiles: (path) => directoriesOf(path).map((directory) => join(directory.path, 'cgroup.procs')),
    entranceOf: (path) =>
      entranceOf(directoriesOf(path), hierarchies.find(({ version }) => version === 2)?.mountPoint),
    processes: (path) => [
      ...new Set(directoriesOf(path).flatMap((directory) => processesBelow(directory.path))),
    ],
    killAll: (path) => killAll(directoriesOf(path), { endWithinMs }),
    async removeCgroup(path) {
      if (posix.normalize(`/${path}`) === '/') throw new Error('the root cgroup cannot be removed');
      const inUse = directoriesOf(path).filter((directory) => !removeIfEmpty(directory.path));
      if (inUse.length === 0) return;
      await killAll(inUse, { endWithinMs });
      for (const directory of inUse) await removeTree(directory.path, { endWithinMs });
    },
    removeIfEmpty(path) {
      for (const directory of directoriesOf(path)) removeIfEmpty(directory.path);
    },
    statsOf(path) {
      const [time, bytes, processes] = ['cpuacct', 'memory', 'pids'].map((name) => directoryWith(name, path));
      return {
        ...(bytes === undefined ? noMemoryStats : memoryStats(bytes)),
        cpuUsageNs: time === undefined ? 0 : cpuUsageNs(time),
        pids: processes === undefined ? 0 : processCount(processes),
      };
    },
    oomFile(path) {
      const directory = directoryWith('memory', path);
      return directory === undefined ? undefined : oomFile(directory);
    },
    directoriesFor: (path) =>
      Object.fromEntries(
        hierarchies.map((hierarchy) => [
          posix.relative(root, hierarchy.mountPoint),
          directoryIn(hierarchy, path).path,
        ]),
      ),
  };
}

const noMemoryStats: MemoryStats = {
  memoryUsageBytes: 0,
  memoryWorkingSetBytes: 0,
  rssBytes: 0,
  pageFaults: 0,
  majorPageFaults: 0,
  swapUsageBytes: 0,
  memoryLimitBytes: undefined,
};

type DirectoryIn = (hierarchy: Hierarchy, path: string) => CgroupDirectory;

/**
 * Makes the cgroup. On v2 from the top down, so that every parent hands its controllers on; on v1, where there are a dozen
 * hierarchies and nothing to hand on, the cgroup itself first, whose parent mostly is there.
 */
function makeWithParents(hierarchy: Hierarchy, path: string, directoryIn: DirectoryIn): void {
  if (hierarchy.version === 1 && makeBelowParent(hierarchy, directoryIn(hierarchy, path))) return;
  for (let left = 100; ; left -= 1) {
    try {
      makeFromTop(hierarchy, path, directoryIn);
      return;
    } catch (error) {
      // Somebody removed a parent that was empty still, as the last of the other clusters does. Tries are
      // counted, of which it rarely takes more than three: a slow machine needs a second for a few.
      if (!hasCode(error, 'ENOENT', 'ENODEV') || left === 0) throw error;
    }
  }
}

function makeFromTop(hierarchy: Hierarchy, path: string, directoryIn: DirectoryIn): void {
  const names = posix.normalize(`/${path}`).split('/').filter(Boolean);
  for (let depth = 0; depth < names.length; depth++) {
    if (hierarchy.version === 2) delegateControllers(directoryIn(hierarchy, names.slice(0, depth).join('/')));
    const directory = directoryIn(hierarchy, names.slice(0, depth + 1).join('/'));
    if (!existsSync(directory.path) && makeDirectory(directory.path)) prepare(hierarchy, directory);
  }
}

/** False when its parent is missing. */
function makeBelowParent(hierarchy: Hierarchy, directory: CgroupDirectory): boolean {
  try {
    if (makeDirectory(directory.path)) prepare(hierarchy, directory);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

function prepare(hierarchy: Hierarchy, directory: CgroupDirectory): void {
  for (const controller of controllers) {
    if (hierarchy.controllers.includes(controller.name)) controller.prepare?.(directory);
  }
}

function makeDirectory(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

function applyUnified(
  hierarchies: Hierarchy[],
  path: string,
  { unified = {} }: CgroupResources,
  directoryIn: DirectoryIn,
): void {
  const hierarchy = hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) return;
  for (const [file, value] of Object.entries(unified)) {
    if (file.includes('/')) throw new Error(`not a file of a cgroup: ${JSON.stringify(file)}`);
    writeValue(directoryIn(hierarchy, path), file, value);
  }
}

/** Which of the resources ask for a controller. */
const asks: Record<string, (keyof CgroupResources)[]> = {
  cpu: ['cpuShares', 'cpuQuotaUs'],
  cpuset: ['cpusetCpus', 'cpusetMems'],
  memory: ['memoryLimitBytes', 'memorySwapLimitBytes'],
  pids: ['pidsLimit'],
  devices: ['devices'],
};

function warnIfAsked(controller: string, resources: CgroupResources, warn: (message: string) => void): void {
  const asked = (asks[controller] ?? []).filter(
    (name) => resources[name] !== undefined && resources[name] !== 'all',
  );
  if (asked.length > 0)
    warn(`this host has no cgroup controller "${controller}": ${asked.join(', ')} not enforced`);
}

const childrenOf = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    : [];

function once(warn: (message: string) => void): (message: string) => void {
  const said = new Set<string>();
  return (message) => {
    if (said.has(message)) return;
    said.add(message);
    warn(message);
  };
}
