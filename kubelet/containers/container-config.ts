import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../../api/types.ts';
import { bytesOfText } from '../../linux/byte-text.ts';
import type * as cri from '../../runtime/cri/types.ts';
import { expandCommand } from '../environment/expand-container.ts';
import type { EnvironmentVariable } from '../environment/expand-container.ts';
import type { KubeletPod } from '../pod.ts';
import { linuxResourcesOf } from '../resources/linux-resources.ts';
import { podHostname } from '../sandbox/hostname.ts';
import { writeHostsFile } from './hosts-file.ts';
import { containerAnnotations, containerLabels } from './labels.ts';
import { containerLogFolder, containerLogPath } from './log-paths.ts';
import { linuxSecurityContext, verifyRunAsNonRoot } from './security-context.ts';
import type { ImageUser } from './security-context.ts';

/** What a container's config needs besides its spec. */
export interface ContainerConfigOptions {
  pod: KubeletPod;
  container: Container;
  restartCount: number;
  imageRef: string;
  imageUser: ImageUser;
  podIps: string[];
  environment: EnvironmentVariable[];
  /** The mounts of the Pod's volumes into this container. */
  mounts: cri.Sent<cri.Mount>[];
  /** The Pod's block volumes that this container gets. */
  devices: cri.Device[];
  /** Groups that own the Pod's volumes. */
  volumeGroups: readonly number[];
  targetId?: string | undefined;
  folders: PodFolders;
  clusterDomain: string;
  memoryCapacityBytes: number;
}

export interface PodFolders {
  /** `<kubelet>/pods`. */
  pods: string;
  /** The root of the Pods' logs. */
  logs: string;
  /** `<kubelet>/seccomp`: what a profile of type Localhost is named from. */
  seccomp: string;
}

/** The CRI config of a container; makes its log folder, hosts file and termination log. Throws with upstream's words. */
export async function containerConfig(
  options: ContainerConfigOptions,
): Promise<cri.Sent<cri.ContainerConfig>> {
  const { pod, container, restartCount, environment, folders } = options;
  verifyRunAsNonRoot(options);
  const { command, args } = expandCommand(container, environment);
  const [mounts] = await Promise.all([
    allMounts(options),
    mkdir(containerLogFolder(folders.logs, pod, container.name), { recursive: true, mode: 0o755 }),
  ]);
  return {
    metadata: { name: container.name, attempt: restartCount },
    image: { image: options.imageRef, userSpecifiedImage: container.image ?? '' },
    command,
    args,
    workingDir: container.workingDir ?? '',
    envs: environment.map(({ name, value }) => ({ key: name, value: bytesOfText(value) })),
    mounts,
    devices: options.devices,
    labels: containerLabels(pod, container),
    annotations: containerAnnotations({ pod, container, restartCount }),
    logPath: containerLogPath(container.name, restartCount),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    ...(container.lifecycle?.stopSignal ? { stopSignal: container.lifecycle.stopSignal as cri.Signal } : {}),
    linux: {
      resources: linuxResourcesOf(options),
      securityContext: linuxSecurityContext(options),
    },
  };
}

async function allMounts(options: ContainerConfigOptions): Promise<cri.Sent<cri.Mount>[]> {
  const { pod, container, mounts, podIps, folders, clusterDomain } = options;
  const podFolder = join(folders.pods, pod.metadata.uid);
  const more: cri.Sent<cri.Mount>[] = [];
  // Whoever mounts something at /etc/hosts wants that; a Pod without an address has nothing to say there.
  const taken = container.volumeMounts?.some(({ mountPath }) => mountPath === '/etc/hosts');
  if (!taken && (pod.spec.hostNetwork || podIps.length > 0)) {
    const hostname = podHostname(pod, clusterDomain);
    const hostPath = await writeHostsFile({ pod, podFolder, podIps, hostname });
    more.push({ hostPath, containerPath: '/etc/hosts' });
  }
  const containerPath = container.terminationMessagePath;
  if (containerPath) {
    more.push({
      hostPath: await terminationLog(join(podFolder, 'containers', container.name)),
      containerPath,
    });
  }
  return [...mounts, ...more];
}

/** An empty file of a fresh name, so that a restart never shows the message of the run before. */
async function terminationLog(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o750 });
  const path = join(folder, randomBytes(4).toString('hex'));
  await writeFile(path, '', { flag: 'wx' });
  // Whatever user the container runs as must be able to write, whatever our umask is.
  await chmod(path, 0o666);
  return path;
}
