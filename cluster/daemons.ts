import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { belongingTo, MAIN } from './belonging.ts';
import { tryLockFile } from '../linux/file-lock.ts';
import { identify, isAlive, type ProcessIdentity, signalProcess, waitForExit } from '../linux/process.ts';
import { clusterPaths } from './paths.ts';

/** A daemon of a cluster: one process, known by a pid file that also holds the start time, since pids are reused. */
export interface Daemon extends ProcessIdentity {
  /** `control-plane`, or the name of a node, or a component that runs alone. */
  name: string;
}

export interface StartDaemonOptions {
  cluster: string;
  name: string;
  /** The subcommand of podwright that it runs, with its flags. */
  command: string[];
  /** Path of the network namespace to run in; the host's when missing. */
  netns?: string;
}

/** What this process has started, by its pid file. */
const children = new Map<string, { process: ChildProcess; daemon: Daemon }>();

/**
 * Node.js runs WebAssembly of its own, to take the types out of our files for one. At times V8 13.6 ends the process where it replaces
 * such code by optimized code ("Check failed: it->second.Size() > offset"). With this flag it replaces none, and starts no slower. The
 * commands in scripts/ pass it too; here it is for startCluster() in a program that doesn't.
 */
const STEADY_WEB_ASSEMBLY = '--liftoff-only';
const steadyFlags = (flags: readonly string[]): readonly string[] =>
  flags.includes(STEADY_WEB_ASSEMBLY) ? flags : [...flags, STEADY_WEB_ASSEMBLY];

/** Starts a daemon in a session of its own, output to logs/NAME.log; one that already runs is left alone. */
export function startDaemon({ cluster, name, command, netns }: StartDaemonOptions): Daemon {
  const running = findDaemon(cluster, name);
  if (running !== undefined) return running;
  const { logs, run } = clusterPaths(cluster);
  mkdirSync(logs, { recursive: true });
  mkdirSync(run, { recursive: true });
  const log = openSync(join(logs, `${name}.log`), 'a', 0o640);
  const argv = [process.execPath, ...steadyFlags(process.execArgv), MAIN, ...command];
  const [file = '', ...args] = netns === undefined ? argv : ['nsenter', `--net=${netns}`, ...argv];
  const env = { ...process.env, ...belongingTo(cluster) };
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], cwd: '/', env });
  closeSync(log);
  child.on('error', (error) => process.stderr.write(`podwright: start ${name}: ${error.message}\n`));
  child.unref();
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error(`start ${name}: ${file} did not start`);
  const daemon = { name, ...identity };
  children.set(pidFile(cluster, name), { process: child, daemon });
  return daemon;
}

/**
 * Makes this process the daemon of that name until it ends. It says so itself, since who started it may be killed before he could, and by a
 * lock that the kernel takes back at its end, so that there are never two. Throws when another process is that daemon.
 */
export function becomeDaemon(cluster: string, name: string): void {
  const path = pidFile(cluster, name);
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  if (tryLockFile(path) === undefined) {
    const pid = readPidFile(path)?.pid;
    throw new Error(`${name} of cluster '${cluster}' runs already${pid === undefined ? '' : `, pid ${pid}`}`);
  }
  writeFileSync(path, JSON.stringify({ name, ...identify(process.pid) }));
}

/** The daemon of that name when it is alive: by its pid file, or one of this process that has not come to write it. */
export function findDaemon(cluster: string, name: string): Daemon | undefined {
  const path = pidFile(cluster, name);
  return [readPidFile(path), children.get(path)?.daemon].find(
    (daemon) => daemon !== undefined && isAlive(daemon),
  );
}

/** How a daemon that is not alive has ended: its exit code or a signal; only its starter knows. */
export async function endOfDaemon(cluster: string, name: string): Promise<string> {
  const child = children.get(pidFile(cluster, name))?.process;
  if (child === undefined) return 'nobody saw how';
  // Node.js hears of it a moment after the kernel tells it.
  if (child.exitCode === null && child.signalCode === null)
    await Promise.race([once(child, 'exit'), delay(1000)]);
  return child.signalCode ?? (child.exitCode === null ? 'nobody saw how' : `exit code ${child.exitCode}`);
}

/** Every daemon of the cluster that is alive. */
export function listDaemons(cluster: string): Daemon[] {
  const { run } = clusterPaths(cluster);
  if (!existsSync(run)) return [];
  return readdirSync(run)
    .filter((file) => file.endsWith('.pid'))
    .flatMap((file) => findDaemon(cluster, basename(file, '.pid')) ?? []);
}

/** Ends a daemon: SIGTERM, and SIGKILL after the grace; one that is gone already is fine. */
export async function stopDaemon(
  cluster: string,
  name: string,
  { signal = 'SIGTERM', graceMs = 5000 }: { signal?: 'SIGTERM' | 'SIGKILL'; graceMs?: number } = {},
): Promise<void> {
  const daemon = findDaemon(cluster, name);
  if (daemon !== undefined) {
    signalProcess(daemon, signal);
    await waitForExit(daemon, { signal: AbortSignal.timeout(graceMs) }).catch(() => {
      signalProcess(daemon, 'SIGKILL'); // the grace is over
    });
    await waitForExit(daemon, { signal: AbortSignal.timeout(graceMs) }).catch((cause: unknown) => {
      throw new Error(
        `stop ${name} of cluster ${cluster}: pid ${daemon.pid} has not ended ${graceMs} ms after SIGKILL; ` +
          `the kernel holds it, mostly for a disk or a server that does not answer (/proc/${daemon.pid}/stack shows where): see to that, then run this again`,
        { cause },
      );
    });
  }
  rmSync(pidFile(cluster, name), { force: true });
}

const pidFile = (cluster: string, name: string): string => join(clusterPaths(cluster).run, `${name}.pid`);

/** One that is not there, or was cut short, names no process. */
function readPidFile(path: string): Daemon | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Daemon;
  } catch {
    return undefined;
  }
}
