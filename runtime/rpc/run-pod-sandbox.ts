import { randomBytes } from 'node:crypto';
import { createNetworkNamespace } from '../../linux/namespaces.ts';
import type { ProcessIdentity } from '../../linux/process.ts';
import { launchSandbox } from '../native/index.ts';
import { nowNs } from '../clock.ts';
import type { PodSandboxConfig, RunPodSandboxRequest, RunPodSandboxResponse, Sent } from '../cri/types.ts';
import { CriError, invalidArgument, messageOf, unimplemented } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { watchPause } from '../sandboxes/pause-watch.ts';
import type { SandboxRecord } from '../sandboxes/record.ts';
import { namespacesOf } from '../sandboxes/record.ts';
import { hostnameOf, makeSandboxFiles, sandboxPaths } from '../sandboxes/sandbox-files.ts';
import { publishSandboxEvent } from '../sandboxes/status.ts';
import { releaseSandbox } from '../sandboxes/release-sandbox.ts';

/**
 * Makes a sandbox: its files, the pause process that holds the namespaces, its cgroup and its network. It is ready when this
 * returns; when a step fails, what was made is taken away again and the step's error is the answer.
 */
export async function runPodSandbox(
  runtime: Runtime,
  { config, runtimeHandler }: RunPodSandboxRequest,
): Promise<Sent<RunPodSandboxResponse>> {
  if (config?.metadata == null) throw invalidArgument('sandbox config must include metadata');
  if (runtimeHandler !== '')
    throw invalidArgument(`no runtime for ${JSON.stringify(runtimeHandler)} is configured`);
  refuseUserNamespace(config);
  refuseDuplicate(runtime, config);
  const sandbox = newSandbox(runtime, config);
  try {
    await runtime.sandboxes.create(sandbox);
    await startSandbox(runtime, sandbox, config);
  } catch (error) {
    await undo(runtime, sandbox);
    throw error;
  }
  publishSandboxEvent(runtime, sandbox.id, 'CONTAINER_CREATED_EVENT');
  publishSandboxEvent(runtime, sandbox.id, 'CONTAINER_STARTED_EVENT');
  return { podSandboxId: sandbox.id };
}

function refuseUserNamespace(config: PodSandboxConfig): void {
  const mode = config.linux?.securityContext?.namespaceOptions?.usernsOptions?.mode ?? 'NODE';
  if (mode !== 'NODE') throw unimplemented('user namespaces are not supported by this runtime');
}

function refuseDuplicate(runtime: Runtime, config: PodSandboxConfig): void {
  const name = nameOf(config);
  const holder = runtime.sandboxes.list().find((sandbox) => nameOf(sandbox.config) === name);
  if (holder === undefined) return;
  const reserved = `name ${JSON.stringify(name)} is reserved for ${JSON.stringify(holder.id)}`;
  throw new CriError('UNKNOWN', `failed to reserve sandbox name ${JSON.stringify(name)}: ${reserved}`);
}

const nameOf = ({ metadata }: PodSandboxConfig): string =>
  [metadata?.name, metadata?.namespace, metadata?.uid, metadata?.attempt].join('_');

function newSandbox({ cgroupRoot }: Runtime, config: PodSandboxConfig): SandboxRecord {
  const id = randomBytes(32).toString('hex');
  return {
    id,
    config,
    runtimeHandler: '',
    createdAtNs: nowNs(),
    state: 'SANDBOX_NOTREADY',
    pause: null,
    netnsPath: null,
    ips: [],
    cgroupParent: config.linux?.cgroupParent || `${cgroupRoot}/sandboxes/${id}`,
  };
}

// The network namespace comes first, and then two things that take their time at the same time: pause, which moves into it, and
// the CNI plugins, which fill it.
async function startSandbox(
  runtime: Runtime,
  sandbox: SandboxRecord,
  config: PodSandboxConfig,
): Promise<void> {
  const { id } = sandbox;
  const paths = sandboxPaths(runtime, id, config);
  runtime.cgroups.createCgroup(`${sandbox.cgroupParent}/${id}`, {});
  makeSandboxFiles(paths, config);
  const netnsPath = namespacesOf(config).network === 'NODE' ? null : paths.netns;
  if (netnsPath !== null) createNetworkNamespace(netnsPath);
  await runtime.sandboxes.update(id, { netnsPath }, { durable: false });
  const [launched, network] = await Promise.allSettled([
    launchPause(runtime, sandbox, netnsPath),
    netnsPath === null ? { ips: [] } : addNetwork(runtime, { ...sandbox, netnsPath }),
  ]);
  const pause = launched.status === 'fulfilled' ? launched.value : null;
  if (pause === null || network.status === 'rejected') {
    await runtime.sandboxes.update(id, { pause }, { durable: false });
    throw launched.status === 'rejected' ? launched.reason : (network as PromiseRejectedResult).reason;
  }
  const ready = { pause, ips: network.value.ips, state: 'SANDBOX_READY' } as const;
  await runtime.sandboxes.update(id, ready, { durable: false });
  watchPause(runtime, id, pause);
}

async function launchPause(
  runtime: Runtime,
  { id, config, cgroupParent }: SandboxRecord,
  netnsPath: string | null,
): Promise<ProcessIdentity> {
  const { network, pid, ipc } = namespacesOf(config);
  const launched = await launchSandbox({
    id,
    stateDir: runtime.sandboxes.volatileDirectoryOf(id),
    label: `${config.metadata?.namespace}/${config.metadata?.name}`,
    namespaces: {
      network: netnsPath === null ? 'host' : { path: netnsPath },
      uts: network === 'NODE' ? 'host' : 'new',
      ipc: ipc === 'NODE' ? 'host' : 'new',
      pid: pid === 'POD' ? 'new' : 'host',
    },
    cgroup: runtime.cgroups.entranceOf(`${cgroupParent}/${id}`),
    sysctls: sysctlsOf(config),
    ...(network === 'NODE' ? {} : { hostname: hostnameOf(config) }),
  });
  runtime.warn({ sandbox: id }, launched.warnings);
  return { pid: launched.pid, startTime: launched.startTime };
}

// In a network of its own nobody else's ports are in reach, so any user may open any port and send pings, as containerd has it.
function sysctlsOf(config: PodSandboxConfig): Record<string, string> {
  const own = namespacesOf(config).network === 'NODE' ? {} : defaultSysctls;
  return { ...own, ...config.linux?.sysctls };
}

const defaultSysctls = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
};

async function addNetwork(
  runtime: Runtime,
  sandbox: SandboxRecord & { netnsPath: string },
): Promise<{ ips: string[] }> {
  try {
    return await runtime.network.add(sandbox);
  } catch (error) {
    const message = `failed to setup network for sandbox ${JSON.stringify(sandbox.id)}: ${messageOf(error)}`;
    throw new CriError('UNKNOWN', message, { cause: error });
  }
}

// When even the undoing fails the sandbox stays listed as not ready, and the kubelet asks again to stop and remove it.
async function undo(runtime: Runtime, { id }: SandboxRecord): Promise<void> {
  try {
    await releaseSandbox(runtime, id);
    await runtime.sandboxes.remove(id);
  } catch (error) {
    runtime.log.error(
      { sandbox: id, error: messageOf(error) },
      'failed to take away a sandbox that did not start',
    );
  }
}
