import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type PathEvent, watchPath } from '../../linux/inotify.ts';
import { isAlive, waitForExit, type ProcessIdentity } from '../../linux/process.ts';
import { hasCode } from '../../linux/system-error.ts';

/** How a container ended, as its shim recorded it. */
export interface ExitRecord {
  /** 128 + n for a container killed by signal n; 255 when `lost`. */
  exitCode: number;
  signal?: number;
  /** The kernel killed in the container's cgroup for lack of memory. */
  oomKilled: boolean;
  startedAtNs: bigint;
  finishedAtNs: bigint;
  /** The shim was killed before it could record anything. */
  lost?: true;
}

export interface Started extends ProcessIdentity {
  shim: ProcessIdentity;
  startedAtNs: bigint;
}

export interface ContainerState {
  /** Undefined: never started. */
  started?: Started;
  /** Undefined: runs, or its record is lost (watchExit tells). */
  exit?: ExitRecord;
}

/** What the disk says about a container: for a daemon that was not there when it happened. */
export function readContainerState(stateDir: string): ContainerState {
  const line = readIfThere(join(stateDir, 'running'));
  const exit = readExitRecord(stateDir);
  return {
    ...(line === undefined ? {} : { started: parseStarted(line) }),
    ...(exit === undefined ? {} : { exit }),
  };
}

/** The exit record, or undefined when there is none. */
export function readExitRecord(stateDir: string): ExitRecord | undefined {
  const text = readIfThere(join(stateDir, 'exit'));
  if (text === undefined) return undefined;
  const { exitCode, signal, oomKilled, startedAt, finishedAt } = JSON.parse(text) as RawRecord;
  const record = { exitCode, oomKilled, startedAtNs: BigInt(startedAt), finishedAtNs: BigInt(finishedAt) };
  return signal === undefined ? record : { ...record, signal };
}

interface RawRecord {
  exitCode: number;
  signal?: number;
  oomKilled: boolean;
  startedAt: string;
  finishedAt: string;
}

/** The line `started PID START_TIME SHIM_PID SHIM_START_TIME NANOSECONDS` of the shim. */
export function parseStarted(line: string): Started {
  const [, pid, startTime, shimPid, shimStartTime, startedAt] = line.trimEnd().split('\t');
  return {
    pid: Number(pid),
    startTime: Number(startTime),
    shim: { pid: Number(shimPid), startTime: Number(shimStartTime) },
    startedAtNs: BigInt(startedAt ?? 0),
  };
}

/**
 * Calls `listener` once, when the container is over: by the record that the shim leaves (inotify), or, when the shim was killed,
 * with exit code 255 and `lost` after the container's process has ended too.
 */
export function watchExit(
  stateDir: string,
  started: Started,
  listener: (record: ExitRecord) => void,
): Disposable {
  const abort = new AbortController();
  const finish = (record: ExitRecord) => {
    if (abort.signal.aborted) return;
    stop();
    listener(record);
  };
  const check = () => {
    const record = readExitRecord(stateDir);
    if (record !== undefined) finish(record);
  };
  const watch = watchRecord(stateDir, check);
  const stop = () => {
    abort.abort();
    watch?.[Symbol.dispose]();
  };
  void whenLost(stateDir, started, abort.signal).then(finish, () => undefined); // aborted: it ended as it should
  queueMicrotask(check);
  return { [Symbol.dispose]: stop };
}

/** Undefined where nothing more can be watched (max_user_watches): then the end of the shim tells, which comes right after. */
function watchRecord(stateDir: string, listener: () => void): Disposable | undefined {
  const onEvent = ({ name }: PathEvent) => (name === 'exit' ? listener() : undefined);
  try {
    return watchPath(stateDir, ['movedTo'], onEvent, { keepAlive: false });
  } catch {
    return undefined;
  }
}

async function whenLost(stateDir: string, started: Started, signal: AbortSignal): Promise<ExitRecord> {
  await waitForExit(started.shim, { signal, keepAlive: false });
  const record = readExitRecord(stateDir);
  if (record !== undefined) return record;
  if (isAlive(started)) await waitForExit(started, { signal, keepAlive: false });
  const finishedAtNs = BigInt(Date.now()) * 1000000n;
  return { exitCode: 255, oomKilled: false, startedAtNs: started.startedAtNs, finishedAtNs, lost: true };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
