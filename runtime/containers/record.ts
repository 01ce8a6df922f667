import type { ProcessIdentity } from '../../linux/process.ts';
import type { ImageConfig } from '../images/index.ts';
import type { ContainerConfig, ContainerState, LinuxContainerResources } from '../cri/types.ts';

export const containerRecordVersion = 1;

/**
 * A container as it is kept. Its state follows from what is there:
 *
 *     CREATED (neither) ──► RUNNING (start) ──► EXITED (exit)
 *        ├── start failed: exit with reason StartError ──► EXITED
 *        └── machine restarted: exit with reason Unknown ──► EXITED
 *
 * The exit is first in the shim's own exit record, so it is not lost when it comes while no daemon runs.
 */
export interface ContainerRecord {
  id: string;
  sandboxId: string;
  config: ContainerConfig;
  imageId: string;
  /** Kept here, because a container outlives the name of its image. */
  imageConfig: ImageConfig;
  /** What CRI calls image_ref: the name by digest, or the id. */
  imageRef: string;
  createdAtNs: number;
  /** Absolute; null when the output is not kept. */
  logPath: string | null;
  user: ContainerUserRecord;
  /** The user's home directory in the image. */
  home: string;
  /** A signal's name without SIG, from the container or its image: `TERM`. */
  stopSignal: string;
  resources: LinuxContainerResources | null;
  /** Path below the cgroup controllers' roots. */
  cgroupPath: string;
  /** Images mounted as volumes, in the order of their mounts. */
  mountedImageIds: string[];
  start: ContainerStart | null;
  exit: ContainerExit | null;
}

export interface ContainerUserRecord {
  uid: number;
  gid: number;
  /** The primary group first. */
  supplementalGroups: number[];
}

export interface ContainerStart extends ProcessIdentity {
  shim: ProcessIdentity;
  startedAtNs: number;
}

export interface ContainerExit {
  exitCode: number;
  /** Empty: Completed or Error, by the exit code. */
  reason: '' | 'OOMKilled' | 'StartError' | 'Unknown';
  message: string;
  finishedAtNs: number;
}

/** What of a record may stand on a disk: not the environment, and not the command, into which the kubelet expands variables. */
export function withoutSecrets(container: ContainerRecord): ContainerRecord {
  return { ...container, config: { ...container.config, envs: [], command: [], args: [] } };
}

/** The state of a container by CRI's names. */
export function stateOf({ start, exit }: Pick<ContainerRecord, 'start' | 'exit'>): ContainerState {
  if (exit !== null) return 'CONTAINER_EXITED';
  return start === null ? 'CONTAINER_CREATED' : 'CONTAINER_RUNNING';
}
