import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { deleteNetworkNamespace } from '../../../linux/namespaces.ts';
import { unmountBelow } from '../../../linux/mount-info.ts';
import { isAlive, signalProcess, waitForExit } from '../../../linux/process.ts';
import {
  type ContainerSpec,
  type ExitRecord,
  launchSandbox,
  type ProcessSpec,
  type RunningSandbox,
  type SandboxSpec,
  type StartedContainer,
  startContainer,
  watchExit,
} from '../../../runtime/native/index.ts';
import { expectNothingLeft } from '../../environment.ts';

const applets =
  'sh echo cat ls sleep true false id head tail grep mount umount touch mkdir stat wc ps kill env printf hostname tty stty unshare dd readlink trap mknod seq sort pwd mkfifo ping chroot'.split(
    ' ',
  );

let image: string | undefined;

/** An image's root directory with busybox in it, made once. */
function imageDirectory(): string {
  if (image !== undefined) return image;
  image = mkdtempSync(join(tmpdir(), 'kk-image-'));
  for (const path of ['bin', 'etc', 'tmp', 'home/user']) mkdirSync(join(image, path), { recursive: true });
  chmodSync(join(image, 'tmp'), 0o1777);
  copyFileSync('/bin/busybox', join(image, 'bin/busybox'));
  for (const applet of applets) symlinkSync('busybox', join(image, 'bin', applet));
  writeFileSync(
    join(image, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n',
  );
  const made = image;
  process.on('exit', () => rmSync(made, { recursive: true, force: true }));
  return image;
}

/** Sandboxes and containers of one test. At its end everything is killed, and nothing may be left. */
export interface Machine {
  directory: string;
  mark: string;
  /** The container's image: its files may be changed before a start. */
  image: string;
  launch(overrides?: Partial<SandboxSpec>): Promise<RunningSandbox & { netnsPath: string }>;
  specification(process: Partial<ProcessSpec> | string, overrides?: Partial<ContainerSpec>): ContainerSpec;
  start(process: Partial<ProcessSpec> | string, overrides?: Partial<ContainerSpec>): Promise<Running>;
  /** Starts, waits for the end, and gives what was logged. */
  outcome(process: Partial<ProcessSpec> | string, overrides?: Partial<ContainerSpec>): Promise<Outcome>;
}

export interface Running {
  spec: ContainerSpec;
  started: StartedContainer;
  ended: Promise<ExitRecord>;
  log: () => LogLine[];
}

export interface LogLine {
  time: string;
  stream: string;
  tag: string;
  text: string;
}

export interface Outcome extends ExitRecord {
  stdout: string;
  stderr: string;
  log: LogLine[];
}

export function machine(t: ExecutionContext): Machine {
  const mark = `kk-${process.pid}-${randomBytes(3).toString('hex')}`;
  const directory = join('/run', mark);
  mkdirSync(directory, { recursive: true });
  const sandboxes: (RunningSandbox & { netnsPath: string })[] = [];
  const containers: Running[] = [];
  let count = 0;
  // Watching an end does not keep a process alive: a daemon has its sockets for that.
  const keepAlive = setInterval(() => undefined, 1000);
  t.teardown(async () => {
    clearInterval(keepAlive);
    for (const { started } of containers) await kill(started);
    for (const sandbox of sandboxes) {
      await kill(sandbox);
      deleteNetworkNamespace(sandbox.netnsPath);
    }
    await Promise.all(containers.map(({ started }) => waitForExit(started.shim)));
    unmountBelow(directory, { lazy: true });
    rmSync(directory, { recursive: true, force: true });
    await expectNothingLeft(mark);
  });
  const specification: Machine['specification'] = (given, overrides = {}) => {
    const id = `${mark}-${(count += 1)}`;
    const own = join(directory, id);
    for (const name of ['state', 'upper', 'work', 'merged']) mkdirSync(join(own, name), { recursive: true });
    const fields = typeof given === 'string' ? { args: ['sh', '-c', given] } : given;
    return {
      id,
      stateDir: join(own, 'state'),
      logPath: join(own, 'log'),
      namespaces: { network: 'host', ipc: 'new', uts: 'new', pid: 'new' },
      rootfs: {
        lowerDirectories: [imageDirectory()],
        upperDirectory: join(own, 'upper'),
        workDirectory: join(own, 'work'),
        mergedDirectory: join(own, 'merged'),
      },
      process: { args: ['true'], env: [], ...fields },
      ...overrides,
    };
  };
  const start: Machine['start'] = async (given, overrides) => {
    const spec = specification(given, overrides);
    const started = await startContainer(spec);
    const ended = new Promise<ExitRecord>((resolve) => watchExit(spec.stateDir, started, resolve));
    const running = { spec, started, ended, log: () => readLog(spec.logPath ?? '') };
    containers.push(running);
    return running;
  };
  return {
    directory,
    mark,
    image: imageDirectory(),
    specification,
    start,
    async launch(overrides = {}) {
      const id = `${mark}-sandbox-${(count += 1)}`;
      const stateDir = join(directory, id);
      mkdirSync(stateDir);
      const netnsPath = `/run/netns/${id}`;
      const namespaces = { network: 'new', ipc: 'new', uts: 'new', pid: 'host' } as const;
      const sandbox = await launchSandbox({
        id,
        stateDir,
        netnsPath,
        namespaces,
        label: id,
        ...overrides,
      });
      sandboxes.push({ ...sandbox, netnsPath });
      return { ...sandbox, netnsPath };
    },
    async outcome(given, overrides) {
      const { ended, log } = await start(given, overrides);
      const record = await ended;
      const text = (stream: string) =>
        log()
          .filter((line) => line.stream === stream)
          .map((line) => line.text + (line.tag === 'F' ? '\n' : ''))
          .join('');
      return { ...record, stdout: text('stdout'), stderr: text('stderr'), log: log() };
    },
  };
}

async function kill(identity: { pid: number; startTime: number }): Promise<void> {
  if (!isAlive(identity)) return;
  signalProcess(identity, 'SIGKILL');
  await waitForExit(identity);
}

/** Reads a CRI log. Throws for a line that is not in its form. */
export function readLog(path: string): LogLine[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  if (lines.pop() !== '') throw new Error(`${path} does not end in a newline`);
  return lines.map((line) => {
    const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (stdout|stderr) ([FP]) (.*)$/s.exec(line);
    if (match === null) throw new Error(`not a line of a CRI log: ${line}`);
    const [, time = '', stream = '', tag = '', text = ''] = match;
    return { time, stream, tag, text };
  });
}
