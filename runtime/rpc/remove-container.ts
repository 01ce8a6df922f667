import type { ContainerRecord } from '../containers/record.ts';
import { stopRunningContainer } from '../containers/stop-container.ts';
import type { RemoveContainerRequest, RemoveContainerResponse } from '../cri/types.ts';
import { CriError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { publishSandboxEvent } from '../sandboxes/status.ts';
import { forget } from './create-container.ts';

/** Removes a container, ending it when it still runs. Idempotent (api.proto, RemoveContainer). */
export async function removeContainer(
  runtime: Runtime,
  { containerId }: RemoveContainerRequest,
): Promise<RemoveContainerResponse> {
  const container = runtime.containers.find(containerId);
  if (container !== undefined) await removeOne(runtime, container);
  return {};
}

/** Removes a container of which is known that it is there. */
export async function removeOne(runtime: Runtime, container: ContainerRecord): Promise<void> {
  const { id, sandboxId } = container;
  if (runtime.busy.starting.has(id))
    throw new CriError(
      'UNKNOWN',
      `failed to set removing state for container ${JSON.stringify(id)}: container is in starting state, can't be removed`,
    );
  if (runtime.busy.removing.has(id))
    throw new CriError(
      'UNKNOWN',
      `failed to set removing state for container ${JSON.stringify(id)}: container is already in removing state`,
    );
  runtime.busy.removing.add(id);
  try {
    await stopRunningContainer(runtime, container, { graceMs: 0 });
    await forget(runtime, container);
    publishSandboxEvent(runtime, sandboxId, 'CONTAINER_DELETED_EVENT', { containerId: id });
  } finally {
    runtime.busy.removing.delete(id);
  }
}
