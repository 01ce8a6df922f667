import { cgroupResources } from '../containers/container-cgroup.ts';
import { stateOf } from '../containers/record.ts';
import { getContainer } from '../containers/status.ts';
import type {
  LinuxContainerResources,
  UpdateContainerResourcesRequest,
  UpdateContainerResourcesResponse,
} from '../cri/types.ts';
import { CriError, messageOf } from '../errors.ts';
import type { Runtime } from '../runtime.ts';

/**
 * Changes a container's limits: at once when it runs, when it starts if it has not yet. Fields that are 0 or empty stay as they
 * are. Throws when the kernel refuses, and then the record keeps the old limits.
 */
export async function updateContainerResources(
  runtime: Runtime,
  { containerId, linux }: UpdateContainerResourcesRequest,
): Promise<UpdateContainerResourcesResponse> {
  const container = getContainer(runtime, containerId);
  if (runtime.busy.removing.has(container.id))
    throw new CriError(
      'UNKNOWN',
      `failed to update resources: container ${JSON.stringify(container.id)} is in removing state`,
    );
  if (linux === null) return {};
  if (stateOf(container) !== 'CONTAINER_EXITED') {
    try {
      runtime.cgroups.updateCgroup(container.cgroupPath, cgroupResources(linux));
    } catch (error) {
      throw new CriError('UNKNOWN', `failed to update resources: ${messageOf(error)}`, { cause: error });
    }
  }
  await runtime.containers.update(container.id, { resources: merged(container.resources, linux) });
  return {};
}

function merged(
  before: LinuxContainerResources | null,
  change: LinuxContainerResources,
): LinuxContainerResources {
  const set = Object.entries(change).filter(
    ([, value]) => value !== 0 && value !== '' && !(Array.isArray(value) && value.length === 0),
  );
  const unified = { ...before?.unified, ...change.unified };
  return { ...change, ...before, ...Object.fromEntries(set), unified };
}
