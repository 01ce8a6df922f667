import { randomBytes } from 'node:crypto';
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
  const sandbox = newSandbox(config);
  await runtime.sandboxes.create(sandbox);
  try {
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

function newSandbox(config: PodSandboxConfig): SandboxRecord {
  const id = randomBytes(32).toString('hex');
  return {
    id,
    config,
    runtimeHandler: '',
    createdAtNs: nowNs(),
    state: 'SANDBOX_NOTREADY',
    pause: null,
    netnsPath: null,
    networkAttached: false,
    ips: [],
    cgroupParent: config.linux?.cgroupParent || `/podwright/sandboxes/${id}`,
  };
}

async function startSandbox(
  runtime: Runtime,
  { id, cgroupParent }: SandboxRecord,
  config: PodSandboxConfig,
): Promise<void> {
  const { network } = namespacesOf(config);
  const paths = sandboxPaths(runtime, id, config);
  makeSandboxFiles(paths, config);
  const pause = await launchPause(runtime, {
    id,
    config,
    cgroupPath: `${cgroupParent}/${id}`,
    netns: paths.netns,
  });
  const netnsPath = network === 'NODE' ? null : paths.netns;
  const started = await runtime.sandboxes.update(
    id,
    { pause, netnsPath, networkAttached: netnsPath !== null },
    { durable: false },
  );
  const ips =
    started === undefined || netnsPath === null
      ? []
      : (await addNetwork(runtime, { ...started, netnsPath })).ips;
  await runtime.sandboxes.update(id, { ips, state: 'SANDBOX_READY' }, { durable: false });
  watchPause(runtime, id, pause);
}

interface PauseOptions {
  id: string;
  config: PodSandboxConfig;
  cgroupPath: string;
  netns: string;
}

async function launchPause(runtime: Runtime, { id, config, cgroupPath, netns }: PauseOptions) {
  const { network, pid, ipc } = namespacesOf(config);
  runtime.cgroups.createCgroup(cgroupPath, {});
  const {
    pid: processId,
    startTime,
    warnings,
  } = await launchSandbox({
    id,
    stateDir: runtime.sandboxes.directoryOf(id),
    label: `${config.metadata?.namespace}/${config.metadata?.name}`,
    namespaces: {
      network: network === 'NODE' ? 'host' : 'new',
      uts: network === 'NODE' ? 'host' : 'new',
      ipc: ipc === 'NODE' ? 'host' : 'new',
      pid: pid === 'POD' ? 'new' : 'host',
    },
    cgroupProcsFiles: runtime.cgroups.cgroupProcsFiles(cgroupPath),
    sysctls: sysctlsOf(config),
    ...(network === 'NODE' ? {} : { hostname: hostnameOf(config), netnsPath: netns }),
  });
  for (const warning of warnings) runtime.log.warn({ sandbox: id }, warning);
  return { pid: processId, startTime };
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
