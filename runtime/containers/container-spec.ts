import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { notFound } from '../errors.ts';
import type { ContainerSpec, NamespaceChoice, ProcessSpec } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';
import type { SandboxRecord } from '../sandboxes/record.ts';
import { namespacesOf } from '../sandboxes/record.ts';
import { hostnameOf, sandboxPaths } from '../sandboxes/sandbox-files.ts';
import { commandLine, environment } from './command.ts';
import { devicesFor } from './devices.ts';
import { volumesOf } from './image-volumes.ts';
import { mountsFor } from './mounts.ts';
import type { ContainerRecord } from './record.ts';
import { stateOf } from './record.ts';
import { rightsOf } from './security.ts';
import { securityOf } from './status.ts';

/** Everything that has been decided about a container, for the shim to carry out. Throws what CreateContainer answers. */
export function containerSpec(
  runtime: Runtime,
  container: ContainerRecord,
  sandbox: SandboxRecord,
): ContainerSpec {
  const { id, config } = container;
  const directory = runtime.containers.directoryOf(id);
  const paths = sandboxPaths(runtime, sandbox.id, sandbox.config);
  const security = securityOf(config);
  const { metadata } = sandbox.config;
  return {
    id,
    stateDir: runtime.containers.volatileDirectoryOf(id),
    label: `${metadata?.namespace}/${metadata?.name}/${config.metadata?.name}`,
    ...(container.logPath === null ? {} : { logPath: container.logPath }),
    namespaces: namespaceChoices(runtime, container, sandbox),
    rootfs: rootFileSystem(runtime, container, directory),
    readOnlyRootfs: security?.readonlyRootfs ?? false,
    mounts: mountsFor(runtime, container, {
      sandbox: paths,
      imageVolumes: volumesOf(container, directory),
    }),
    shmDirectory: paths.shm,
    devices: devicesFor(config).map(({ hostPath, containerPath }) => ({ hostPath, containerPath })),
    privileged: security?.privileged ?? false,
    maskedPaths: security?.privileged === true ? [] : (security?.maskedPaths ?? []),
    readonlyPaths: security?.privileged === true ? [] : (security?.readonlyPaths ?? []),
    process: processSpec(container, sandbox),
    stdin: config.stdin,
    stdinOnce: config.stdinOnce,
    shimCgroup: runtime.cgroups.entranceOf(`${sandbox.cgroupParent}/${sandbox.id}`),
  };
}

function rootFileSystem(
  runtime: Runtime,
  { imageId }: ContainerRecord,
  directory: string,
): ContainerSpec['rootfs'] {
  const [upper = '', work = '', merged = ''] = rootDirectories.map((name) => join(directory, 'rootfs', name));
  return {
    lowerDirectories: [runtime.images.rootfsOf({ id: imageId })],
    upperDirectory: upper,
    workDirectory: work,
    mergedDirectory: merged,
  };
}

const rootDirectories = ['upper', 'work', 'merged'];

/** Makes the directories of the container's overlay. */
export function makeRootDirectories(directory: string): void {
  mkdirSync(join(directory, 'rootfs'), { mode: 0o755, recursive: true });
  for (const name of rootDirectories) mkdirSync(join(directory, 'rootfs', name), { mode: 0o755 });
}

/** Command, environment, user and rights of a container's first process. */
export function processSpec(container: ContainerRecord, sandbox: SandboxRecord): ProcessSpec {
  const { config, imageConfig, user, home } = container;
  const oomScoreAdj = config.linux?.resources?.oomScoreAdj;
  return {
    args: commandLine(config, imageConfig),
    env: environment({ config, image: imageConfig, hostname: hostnameOf(sandbox.config), home }),
    cwd: config.workingDir || imageConfig.WorkingDir || '/',
    uid: user.uid,
    gid: user.gid,
    additionalGids: user.supplementalGroups,
    tty: config.tty,
    ...rightsOf(config),
    ...(oomScoreAdj === undefined ? {} : { oomScoreAdj }),
  };
}

function namespaceChoices(
  runtime: Runtime,
  { config }: ContainerRecord,
  { pause, config: sandboxConfig }: SandboxRecord,
): ContainerSpec['namespaces'] {
  const { network, ipc } = namespacesOf(sandboxConfig);
  const ofPause = (type: string): NamespaceChoice => ({ path: `/proc/${pause?.pid ?? 0}/ns/${type}` });
  const options = securityOf(config)?.namespaceOptions;
  const pids: Record<string, () => NamespaceChoice> = {
    POD: () => (namespacesOf(sandboxConfig).pid === 'POD' ? ofPause('pid') : 'new'),
    CONTAINER: () => 'new',
    NODE: () => 'host',
    TARGET: () => ({ path: `/proc/${targetPid(runtime, options?.targetId ?? '')}/ns/pid` }),
  };
  return {
    network: network === 'NODE' ? 'host' : ofPause('net'),
    uts: network === 'NODE' ? 'host' : ofPause('uts'),
    ipc: ipc === 'NODE' ? 'host' : ofPause('ipc'),
    pid: (pids[options?.pid ?? 'CONTAINER'] ?? (() => 'new' as const))(),
  };
}

// An ephemeral container for debugging sees the processes of the container it is for.
function targetPid(runtime: Runtime, targetId: string): number {
  const target = runtime.containers.find(targetId);
  if (target === undefined)
    throw notFound(
      `invalid target container: failed to find container ${JSON.stringify(targetId)}: not found`,
    );
  if (target.start === null || stateOf(target) !== 'CONTAINER_RUNNING')
    throw notFound(`invalid target container: container ${JSON.stringify(targetId)} is not running`);
  return target.start.pid;
}
