import { existsSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive, signalProcess, waitForExit, type ProcessIdentity } from '../linux/process.ts';
import { hasCode } from '../linux/system-error.ts';
import { type CgroupDirectory, readValue } from './controllers/controller.ts';
import { freeze } from './controllers/freezer.ts';

export interface RemoveOptions {
  /** How long what was killed may take to end. */
  endWithinMs: number;
}

/** Kills every process in a cgroup and below, and returns when they have ended. */
export async function killAll(directories: CgroupDirectory[], { endWithinMs }: RemoveOptions): Promise<void> {
  if (directories.every(({ path }) => processesBelow(path).length === 0)) return;
  const held = (pids: number[]) =>
    `processes that SIGKILL does not end in ${endWithinMs} ms: ${pids.join(', ')}; the kernel holds them, mostly for a disk or a server ` +
    'that does not answer (/proc/PID/stack shows where)';
  for (const directory of directories) {
    if (directory.version === 2 && killByFile(directory))
      await until(() => isEmpty(directory), {
        withinMs: endWithinMs,
        complaint: () => held(processesBelow(directory.path)),
      });
  }
  for (const directory of directories) if (directory.version === 1) freezeTree(directory, true);
  const pids = new Set(directories.flatMap((directory) => processesBelow(directory.path)));
  const killed = Array.from(pids).flatMap(killOne);
  for (const directory of directories) if (directory.version === 1) freezeTree(directory, false);
  const signal = AbortSignal.timeout(endWithinMs);
  await Promise.allSettled(killed.map((identity) => waitForExit(identity, { signal })));
  const left = killed.filter(isAlive).map(({ pid }) => pid);
  if (left.length > 0) throw new Error(held(left));
}

/** cgroup.kill takes all below along, and whoever is being forked (Linux 5.14). */
function killByFile({ path }: CgroupDirectory): boolean {
  const file = join(path, 'cgroup.kill');
  if (!existsSync(file)) return false;
  writeFileSync(file, '1');
  return true;
}

const isEmpty = (directory: CgroupDirectory): boolean =>
  !existsSync(directory.path) || readValue(directory, 'cgroup.events').includes('populated 0');

function freezeTree(directory: CgroupDirectory, frozen: boolean): void {
  if (existsSync(directory.path)) freeze(directory, frozen);
}

function killOne(pid: number): ProcessIdentity[] {
  const identity = identify(pid);
  if (identity === undefined || pid === process.pid) return [];
  return signalProcess(identity, 'SIGKILL') ? [identity] : [];
}

/** The processes in a cgroup and in all below it. */
export function processesBelow(path: string): number[] {
  return treeOf(path).flatMap((directory) => processesIn(directory));
}

function processesIn(path: string): number[] {
  try {
    return readValue({ path }, 'cgroup.procs').split('\n').filter(Boolean).map(Number);
  } catch (error) {
    // Removed meanwhile; or one of threads, whose processes stand in the list of the cgroup above that is none (cgroups(7)).
    if (hasCode(error, 'ENOENT', 'ENODEV', 'ENOTSUP')) return [];
    throw error;
  }
}

/** A cgroup and all below it, deepest first. */
function treeOf(path: string): string[] {
  if (!existsSync(path)) return [];
  const children = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...children.flatMap(({ name }) => treeOf(join(path, name))), path];
}

/** Removes a cgroup without processes and children, which mostly is all there is to do. False when it is in use. */
export function removeIfEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return true;
    if (hasCode(error, 'EBUSY', 'ENOTEMPTY')) return false;
    throw error;
  }
}

/** Removes a cgroup and those below it. Processes that are just ending keep a directory busy for a moment. */
export async function removeTree(path: string, { endWithinMs }: RemoveOptions): Promise<void> {
  for (const directory of treeOf(path)) {
    const complaint = () =>
      `remove cgroup ${directory}: still busy after ${endWithinMs} ms, with processes ${processesBelow(directory).join(', ')}`;
    await until(() => removeIfEmpty(directory), { withinMs: endWithinMs, complaint });
  }
}

async function until(
  done: () => boolean,
  { withinMs, complaint }: { withinMs: number; complaint: () => string },
): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (let waitMs = 1; !done(); waitMs = Math.min(waitMs * 2, 50)) {
    if (Date.now() > deadline) throw new Error(complaint());
    await sleep(waitMs);
  }
}
