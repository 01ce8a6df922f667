import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerConfig, ContainerStatus, PodSandboxConfig, Sent } from '../../runtime/cri/types.ts';
import { patience, until } from '../environment.ts';
import type { CriConnection } from './daemon.ts';

export interface Place {
  cri: CriConnection;
  cgroupRoot: string;
  scratch: string;
}

/** A sandbox's configuration with a name of its own; on the node's network unless `network` says else. */
export function podConfig(
  { cgroupRoot, scratch }: Place,
  change: Sent<PodSandboxConfig> & { namespaces?: Sent<PodSandboxConfig>['linux'] } = {},
): Sent<PodSandboxConfig> {
  const name = `rr-${randomBytes(4).toString('hex')}`;
  return {
    metadata: { name, namespace: 'default', uid: name, attempt: 0 },
    hostname: name,
    logDirectory: join(scratch, name),
    ...change,
    linux: {
      cgroupParent: `${cgroupRoot}/${name}`,
      ...change.linux,
      securityContext: {
        ...change.linux?.securityContext,
        namespaceOptions: {
          network: 'NODE',
          pid: 'CONTAINER',
          ...change.linux?.securityContext?.namespaceOptions,
        },
      },
    },
  };
}

export interface Pod {
  id: string;
  config: Sent<PodSandboxConfig>;
  /** Creates a busybox container that runs a shell script, unless `change` says else. */
  create(script: string, change?: Sent<ContainerConfig>): Promise<string>;
  /** Creates and starts. */
  run(script: string, change?: Sent<ContainerConfig>): Promise<string>;
  /** Runs a script to its end and gives status and log lines. */
  runToEnd(
    script: string,
    change?: Sent<ContainerConfig>,
  ): Promise<{ status: ContainerStatus; output: string[] }>;
}

export async function runPod(place: Place, change: Parameters<typeof podConfig>[1] = {}): Promise<Pod> {
  const { runtime } = place.cri;
  const config = podConfig(place, change);
  const { podSandboxId: id } = await runtime.RunPodSandbox({ config });
  let count = 0;
  const create = async (script: string, container: Sent<ContainerConfig> = {}): Promise<string> => {
    const name = `c${count++}`;
    const { containerId } = await runtime.CreateContainer({
      podSandboxId: id,
      sandboxConfig: config,
      config: {
        metadata: { name, attempt: 0 },
        image: { image: 'busybox' },
        command: ['sh', '-c', script],
        logPath: `${name}.log`,
        ...container,
        linux: {
          ...container.linux,
          securityContext: {
            ...container.linux?.securityContext,
            namespaceOptions: config.linux?.securityContext?.namespaceOptions,
          },
        },
      },
    });
    return containerId;
  };
  const run: Pod['run'] = async (script, container) => {
    const containerId = await create(script, container);
    await runtime.StartContainer({ containerId });
    return containerId;
  };
  return {
    id,
    config,
    create,
    run,
    async runToEnd(script, container) {
      const status = await ended(place, await run(script, container));
      return { status, output: logOf(status) };
    },
  };
}

/** Waits until a container has ended. */
export const ended = (place: Place, containerId: string): Promise<ContainerStatus> =>
  until(`container ${containerId} has ended`, async () => {
    const { status } = await place.cri.runtime.ContainerStatus({ containerId });
    return status?.state === 'CONTAINER_EXITED' ? status : undefined;
  });

/** The texts of the lines in a container's log. */
export const logOf = ({ logPath }: ContainerStatus): string[] =>
  readFileSync(logPath, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(' ').slice(3).join(' '));

/** Runs a command in a container and gives its output's text. */
export async function execText({ cri }: Place, containerId: string, script: string): Promise<string> {
  const { stdout, stderr } = await cri.runtime.ExecSync({
    containerId,
    cmd: ['sh', '-c', script],
    timeout: 20 * patience,
  });
  return `${stdout.toString()}${stderr.toString()}`.trim();
}
