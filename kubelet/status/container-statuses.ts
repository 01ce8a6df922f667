import type {
  Container,
  ContainerState,
  ContainerStatus,
  ResourceRequirements,
  VolumeMountStatus,
} from '../../api/types.ts';
import { anyRegularContainerCreated } from '../actions/pod-actions.ts';
import { restartingAll } from '../actions/restart-all.ts';
import { shouldStart } from '../actions/restart-policy.ts';
import { isSidecar } from '../pod.ts';
import type { KubeletPod } from '../pod.ts';
import type { PodRuntimeStatus, RuntimeContainer } from '../runtime-status/runtime-status.ts';
import type { StartFailures } from './start-failures.ts';

export interface ContainerStatusesInput {
  pod: KubeletPod;
  runtime: PodRuntimeStatus;
  containers: Container[];
  isInit: boolean;
  previous: ContainerStatus[];
  /** All containers are being removed, to start anew. */
  isRestartingAll: boolean;
  failures: StartFailures;
  /** The scheme of container IDs, such as `podwright` in `podwright://…`. */
  runtimeName: string;
  /** The termination message of an ended container. */
  terminationMessage(container: RuntimeContainer): string;
}

/** The API's container statuses, in the order of the spec (upstream: convertToAPIContainerStatuses). */
export function containerStatuses(input: ContainerStatusesInput): ContainerStatus[] {
  return input.containers.map((container) => statusOf(input, container));
}

function statusOf(input: ContainerStatusesInput, container: Container): ContainerStatus {
  const { runtime, previous } = input;
  const before = previous.find(({ name }) => name === container.name);
  const [current, last] = runtime.containers.filter(({ name }) => name === container.name);
  const status = current
    ? fromRuntime(input, { container, current, last, before })
    : withoutRuntime(input, container, before);
  return waitingIfItDidNotStart(input, { container, current, status });
}

interface Known {
  container: Container;
  current: RuntimeContainer;
  last: RuntimeContainer | undefined;
  before: ContainerStatus | undefined;
}

function fromRuntime(input: ContainerStatusesInput, known: Known): ContainerStatus {
  const { container, current, last, before } = known;
  const lastState = last ? stateOf(input, last) : earlierEnd(input, known);
  // What it runs with is what it was started with, whatever the spec says by now: nothing resizes it.
  const started =
    current.state === 'running' && before?.containerID === idOf(input, current) ? before : undefined;
  const resources = started?.resources ?? reportedResources(container);
  const allocated = started?.allocatedResources ?? container.resources?.requests;
  return {
    name: container.name,
    image: current.image,
    imageID: current.imageRef,
    containerID: idOf(input, current),
    restartCount: Math.max(current.restartCount, before?.restartCount ?? 0),
    ready: false,
    started: current.state === 'running' ? (before?.started ?? false) : false,
    state: stateOf(input, current),
    lastState: lastState.terminated ? lastState : {},
    ...(resources ? { resources } : {}),
    ...(allocated ? { allocatedResources: allocated } : {}),
    ...volumeMountsOf(container),
    ...(current.user
      ? {
          user: {
            linux: {
              uid: current.user.uid,
              gid: current.user.gid,
              supplementalGroups: current.user.supplementalGroups,
            },
          },
        }
      : {}),
  };
}

const idOf = ({ runtimeName }: ContainerStatusesInput, { id }: RuntimeContainer) => `${runtimeName}://${id}`;

/** The container before this one is removed from the runtime: its end is known from the status only. */
function earlierEnd(input: ContainerStatusesInput, { current, before }: Known): ContainerState {
  if (!before) return {};
  if (before.containerID !== idOf(input, current) && before.state?.terminated) {
    return { terminated: before.state.terminated };
  }
  const { terminated } = before.lastState ?? {};
  // While this one waited to be started again its own end stood there.
  return terminated && terminated.containerID !== idOf(input, current) ? { terminated } : {};
}

/** What a container that starts now would have, as its status tells it. */
export const reportedResources = ({ resources }: Container): ResourceRequirements | undefined =>
  resources && {
    ...(resources.limits ? { limits: resources.limits } : {}),
    ...(resources.requests ? { requests: resources.requests } : {}),
  };

function volumeMountsOf({ volumeMounts }: Container): { volumeMounts?: VolumeMountStatus[] } {
  if (!volumeMounts?.length) return {};
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
      name,
      mountPath,
      ...(readOnly
        ? {
            readOnly,
            recursiveReadOnly:
              recursiveReadOnly === 'Enabled' || recursiveReadOnly === 'IfPossible' ? 'Enabled' : 'Disabled',
          }
        : {}),
    })),
  };
}

const timeOf = (nanoseconds: number): string =>
  `${new Date(Math.floor(nanoseconds / 1e6)).toISOString().slice(0, 19)}Z`;

function stateOf(input: ContainerStatusesInput, container: RuntimeContainer): ContainerState {
  if (container.state === 'running') {
    return { running: { startedAt: timeOf(container.startedAt) } };
  }
  if (container.state !== 'exited') return { waiting: {} };
  const message = input.terminationMessage(container);
  return {
    terminated: {
      exitCode: container.exitCode,
      reason: container.reason || (container.exitCode === 0 ? 'Completed' : 'Error'),
      ...(message ? { message } : {}),
      startedAt: timeOf(container.startedAt),
      finishedAt: timeOf(container.finishedAt),
      containerID: idOf(input, container),
    },
  };
}

const unknownEnd = (message: string): ContainerState => ({
  terminated: { reason: 'ContainerStatusUnknown', message, exitCode: 137 },
});

/** The runtime has no such container: not yet, or no longer. */
function withoutRuntime(
  { pod, isRestartingAll }: ContainerStatusesInput,
  container: Container,
  before: ContainerStatus | undefined,
): ContainerStatus {
  if (isRestartingAll && before?.state && !before.state.waiting) return removedToRestart(container, before);
  if (before?.state?.terminated) return { ...before, ready: false };
  const vanished = before?.state?.running !== undefined && !before.lastState?.terminated;
  const restarted = vanished && !pod.metadata.deletionTimestamp;
  const lastState = vanished
    ? unknownEnd(
        'The container could not be located when the pod was deleted.  The container used to be Running',
      )
    : (before?.lastState ?? {});
  const initializing = (pod.spec.initContainers?.length ?? 0) > 0;
  return {
    name: container.name,
    image: container.image ?? '',
    imageID: '',
    ready: false,
    started: false,
    restartCount: (before?.restartCount ?? 0) + (restarted ? 1 : 0),
    state: { waiting: { reason: initializing ? 'PodInitializing' : 'ContainerCreating' } },
    lastState,
    ...volumeMountsOf(container),
  };
}

const removedToRestart = (container: Container, before: ContainerStatus): ContainerStatus => ({
  name: container.name,
  image: container.image ?? '',
  imageID: '',
  ready: false,
  started: false,
  restartCount: before.restartCount + 1,
  state: { waiting: restartingAll },
  lastState: { terminated: { ...restartingAll, exitCode: 137 } },
  ...volumeMountsOf(container),
});

/** What is to start and could not, waits, with the reason; its end becomes the last state. */
function waitingIfItDidNotStart(
  input: ContainerStatusesInput,
  {
    container,
    current,
    status,
  }: { container: Container; current: RuntimeContainer | undefined; status: ContainerStatus },
): ContainerStatus {
  const { pod, runtime, failures, isInit, isRestartingAll } = input;
  if (isInit) {
    if (current?.state === 'exited' && current.exitCode === 0 && !isSidecar(container)) return status;
    const isLost = !current && !isRestartingAll && lostInitContainer(input, container, status);
    if (isLost) return completedInit(status);
  }
  if (!shouldStart(pod, container, runtime)) return status;
  const failure = failures.get(pod.metadata.uid, container.name);
  if (!failure) return status;
  return {
    ...status,
    started: false,
    ...(status.state?.terminated ? { lastState: { terminated: status.state.terminated } } : {}),
    state: { waiting: { reason: failure.reason, message: failure.message } },
  };
}

/** An init container whose traces are gone has ended well when regular containers exist. */
const lostInitContainer = (
  { pod, runtime }: ContainerStatusesInput,
  container: Container,
  status: ContainerStatus,
): boolean =>
  !isSidecar(container) && status.state?.waiting !== undefined && anyRegularContainerCreated(pod, runtime);

const completedInit = (status: ContainerStatus): ContainerStatus => ({
  ...status,
  state: {
    terminated: {
      reason: 'Completed',
      message:
        'Unable to get init container status from container runtime and pod has been initialized, treat it as exited normally',
      exitCode: 0,
    },
  },
});
