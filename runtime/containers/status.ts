import type { Container, ContainerConfig, ContainerStatus, Sent, Signal } from '../cri/types.ts';
import { notFound } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import type { ContainerExit, ContainerRecord } from './record.ts';
import { stateOf } from './record.ts';

/** The container of this id (or beginning of one). Throws NOT_FOUND in containerd's words. */
export function getContainer(runtime: Runtime, id: string): ContainerRecord {
  const container = runtime.containers.find(id);
  if (container === undefined)
    throw notFound(`an error occurred when try to find container ${JSON.stringify(id)}: not found`);
  return container;
}

/** CRI's ContainerStatus. */
export function containerStatus(runtime: Runtime, container: ContainerRecord): Sent<ContainerStatus> {
  const { config, start, exit } = container;
  const { metadata, labels, annotations, mounts } = config;
  return {
    id: container.id,
    metadata,
    state: stateOf(container),
    createdAt: container.createdAtNs,
    startedAt: start?.startedAtNs ?? 0,
    finishedAt: exit?.finishedAtNs ?? 0,
    exitCode: exit?.exitCode ?? 0,
    image: { ...config.image, image: imageName(runtime, container) },
    imageRef: container.imageRef,
    imageId: container.imageId,
    reason: exit === null ? '' : reasonOf(exit),
    message: exit?.message ?? '',
    labels,
    annotations,
    mounts,
    logPath: container.logPath ?? '',
    resources: container.resources === null ? null : { linux: container.resources },
    user: { linux: container.user },
    stopSignal: stopSignalOf(container),
  };
}

const reasonOf = ({ reason, exitCode }: ContainerExit): string => {
  if (reason !== '') return reason;
  return exitCode === 0 ? 'Completed' : 'Error';
};

// The name that the image has now; the one asked for when it is gone.
function imageName(runtime: Runtime, { config, imageId }: ContainerRecord): string {
  const asked = config.image?.userSpecifiedImage || config.image?.image || imageId;
  return runtime.images.list().find(({ id }) => id === imageId)?.tags[0] ?? asked;
}

const stopSignalOf = ({ stopSignal }: ContainerRecord): Signal =>
  `SIG${stopSignal.replace('RTMIN+', 'RTMINPLUS').replace('RTMAX-', 'RTMAXMINUS')}` as Signal;

/** CRI's Container, the entry of a list. */
export function containerListEntry(container: ContainerRecord): Sent<Container> {
  const { id, sandboxId, config, imageRef, imageId, createdAtNs } = container;
  const { metadata, labels, annotations } = config;
  return {
    id,
    podSandboxId: sandboxId,
    metadata,
    image: config.image,
    imageRef,
    imageId,
    state: stateOf(container),
    createdAt: createdAtNs,
    labels,
    annotations,
  };
}

/** The message fields of a ContainerConfig that may be missing, in one place for those who read them often. */
export const securityOf = (config: ContainerConfig) => config.linux?.securityContext ?? null;
