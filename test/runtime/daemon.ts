import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCgroups } from '../../cgroups/index.ts';
import { readMountInfo } from '../../linux/mount-info.ts';
import { unmount } from '../../linux/mount.ts';
import { connectCri } from '../../runtime/index.ts';
import { buildBusybox, openImageStore } from '../../runtime/images/index.ts';

export type CriConnection = ReturnType<typeof connectCri>;

/** A runtime process with fresh directories and a cgroup of its own. */
export interface Daemon {
  cri: CriConnection;
  /** Every sandbox's cgroup parent must be below. */
  cgroupRoot: string;
  /** For logs and mounts of a test. */
  scratch: string;
  stateDir: string;
  runDir: string;
  imagesDir: string;
  /** Ends the process by SIGKILL, as a power user or the OOM killer would. */
  kill(): Promise<void>;
  /** Resolves when the process has ended by itself. */
  died(): Promise<void>;
  /** Starts it again on the same directories, with more in its environment. */
  start(env?: Record<string, string>): Promise<void>;
  /** Removes all sandboxes, ends the process, and tells what is left behind; nothing should be. */
  end(): Promise<string[]>;
}

export async function startDaemon(how: LaunchOptions = {}): Promise<Daemon> {
  const name = `rr-${randomBytes(4).toString('hex')}`;
  const root = join('/var/lib', name);
  const runDir = join('/run', name);
  const options = {
    stateDir: join(root, 'runtime'),
    runDir,
    socketPath: join(runDir, 'cri.sock'),
    imagesDir: join(root, 'images'),
    cniConfDir: join(root, 'net.d'),
    cniBinDir: '/usr/lib/cni',
  };
  const scratch = join(root, 'scratch');
  mkdirSync(scratch, { recursive: true });
  writeNetwork(options.cniConfDir, name, root);
  await buildBusybox(openImageStore({ dir: options.imagesDir }));
  let child = await launch(options, how);
  const cri = connectCri({ socketPath: options.socketPath });
  const kill = async (): Promise<void> => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    cri,
    cgroupRoot: `/${name}`,
    scratch,
    kill,
    async died() {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
    ...options,
    async start(env = {}) {
      child = await launch(options, { ...how, env });
    },
    async end() {
      const { items } = await cri.runtime.ListPodSandbox({});
      await Promise.all(items.map(({ id }) => cri.runtime.RemovePodSandbox({ podSandboxId: id })));
      cri.close();
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      const left = await leftovers({ name, stateDir: options.stateDir, runDir });
      unmount(join(runDir, 'runtime'));
      rmSync(root, { recursive: true, force: true });
      rmSync(runDir, { recursive: true, force: true });
      return left;
    },
  };
}

// A veth pair per Pod and nothing else: no bridge, no rules.
function writeNetwork(confDir: string, name: string, root: string): void {
  mkdirSync(confDir, { recursive: true });
  const [one = 0, two = 0] = randomBytes(2);
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: `10.${128 + (one % 64)}.${two}.0/24` }]],
    dataDir: join(root, 'ipam'),
  };
  const configuration = { cniVersion: '1.0.0', name, plugins: [{ type: 'ptp', ipMasq: false, ipam }] };
  writeFileSync(join(confDir, '10-test.conflist'), JSON.stringify(configuration));
}

interface LaunchOptions {
  umask?: string;
  /** Added to the environment, such as failpoints. */
  env?: Record<string, string>;
}

async function launch(options: object, { umask = '022', env = {} }: LaunchOptions): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'serve-runtime.ts');
  const args = [
    '-c',
    'umask "$0"; exec "$@"',
    umask,
    process.execPath,
    ...process.execArgv,
    script,
    JSON.stringify(options),
  ];
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  child.stdout.setEncoding('utf8');
  const ended = once(child, 'exit').then(() => {
    throw new Error('the runtime ended before it was ready');
  });
  await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => undefined);
  return child;
}

async function leftovers({
  name,
  stateDir,
  runDir,
}: {
  name: string;
  stateDir: string;
  runDir: string;
}): Promise<string[]> {
  const mounts = readMountInfo()
    .map(({ mountPoint }) => mountPoint)
    .filter((path) => path.includes(name) && path !== join(runDir, 'runtime'));
  const cgroups = openCgroups();
  const processes = cgroups.exists(`/${name}`)
    ? cgroups.processes(`/${name}`).map((pid) => `process ${pid}`)
    : [];
  // The pods' cgroups are the kubelet's; here the test stands in its place.
  await cgroups.removeCgroup(`/${name}`);
  const files = [
    join(stateDir, 'sandboxes'),
    join(stateDir, 'containers'),
    join(runDir, 'runtime', 'sandboxes'),
    join(runDir, 'runtime', 'containers'),
    join(stateDir, 'cni'),
  ].flatMap((dir) => (existsSync(dir) ? readdirSync(dir) : []).map((entry) => join(dir, entry)));
  return [...mounts, ...processes, ...files];
}
