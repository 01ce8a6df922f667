import type * as cri from '../../runtime/cri/types.ts';
import { annotationNames, labelNames } from '../containers/labels.ts';

export type RuntimeContainerState = 'created' | 'running' | 'exited' | 'unknown';

/** One container as the runtime reports it; times are nanoseconds since 1970, 0 when not reached. */
export interface RuntimeContainer {
  id: string;
  name: string;
  state: RuntimeContainerState;
  createdAt: number;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  message: string;
  image: string;
  imageRef: string;
  restartCount: number;
  /** Hash of the spec parts whose change restarts the container (labels.ts). */
  hash: string;
  logPath: string;
  mounts: cri.Mount[];
  annotations: Record<string, string>;
  labels: Record<string, string>;
  user?: cri.LinuxContainerUser;
  resources?: cri.LinuxContainerResources;
}

/** What the runtime knows of one Pod; sandboxes and containers newest first. */
export interface PodRuntimeStatus {
  uid: string;
  name: string;
  namespace: string;
  ips: string[];
  sandboxes: cri.PodSandboxStatus[];
  containers: RuntimeContainer[];
}

export const emptyRuntimeStatus = (pod: {
  uid: string;
  name: string;
  namespace: string;
}): PodRuntimeStatus => ({ ...pod, ips: [], sandboxes: [], containers: [] });

/** The newest container of that name. */
export const containerNamed = (status: PodRuntimeStatus, name: string): RuntimeContainer | undefined =>
  status.containers.find((container) => container.name === name);

export const runningContainers = (status: PodRuntimeStatus): RuntimeContainer[] =>
  status.containers.filter(({ state }) => state === 'running' || state === 'unknown');

const states: Record<cri.ContainerState, RuntimeContainerState> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

export function toRuntimeContainer(status: cri.ContainerStatus): RuntimeContainer {
  const { annotations, labels } = status;
  return {
    id: status.id,
    name: labels[labelNames.containerName] ?? status.metadata?.name ?? '',
    state: states[status.state],
    createdAt: status.createdAt,
    startedAt: status.startedAt,
    finishedAt: status.finishedAt,
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.userSpecifiedImage || (status.image?.image ?? ''),
    imageRef: status.imageRef,
    restartCount: Number(annotations[annotationNames.restartCount] ?? status.metadata?.attempt ?? 0),
    hash: annotations[annotationNames.hash] ?? '',
    logPath: status.logPath,
    mounts: status.mounts,
    annotations,
    labels,
    ...(status.user?.linux ? { user: status.user.linux } : {}),
    ...(status.resources?.linux ? { resources: status.resources.linux } : {}),
  };
}

/** The addresses of a ready sandbox, its own first. */
export function sandboxIps({ state, network }: cri.PodSandboxStatus): string[] {
  if (state !== 'SANDBOX_READY' || !network?.ip) return [];
  return [network.ip, ...network.additionalIps.map(({ ip }) => ip)];
}
