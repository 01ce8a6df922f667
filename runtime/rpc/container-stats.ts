import { stateOf } from '../containers/record.ts';
import { getContainer } from '../containers/status.ts';
import type {
  ContainerStats,
  ContainerStatsFilter,
  ContainerStatsRequest,
  ListContainerStatsRequest,
  Sent,
  StreamContainerStatsResponse,
} from '../cri/types.ts';
import { hasLabels, inPieces, matchesId } from '../filters.ts';
import type { Runtime } from '../runtime.ts';
import { containerStats as statsOf } from '../stats/container-stats.ts';
import { measureEach } from '../stats/measure-each.ts';

/** What one container uses. Throws NOT_FOUND. */
export const containerStats = async (runtime: Runtime, { containerId }: ContainerStatsRequest) => ({
  stats: await statsOf(runtime, getContainer(runtime, containerId)),
});

/** What the running containers that match a filter use. */
export const listContainerStats = async (runtime: Runtime, { filter }: ListContainerStatsRequest) => ({
  stats: await filtered(runtime, filter),
});

/** The same in pieces (KEP-5825). */
export async function* streamContainerStats(
  runtime: Runtime,
  { filter }: ListContainerStatsRequest,
): AsyncGenerator<Sent<StreamContainerStatsResponse>> {
  for (const containerStats of inPieces(await filtered(runtime, filter))) yield { containerStats };
}

function filtered(runtime: Runtime, filter: ContainerStatsFilter | null): Promise<Sent<ContainerStats>[]> {
  const matching = runtime.containers
    .list()
    .filter(
      (container) =>
        stateOf(container) === 'CONTAINER_RUNNING' &&
        matchesId(container.id, filter?.id ?? '') &&
        matchesId(container.sandboxId, filter?.podSandboxId ?? '') &&
        hasLabels(container.config.labels, filter?.labelSelector ?? {}),
    );
  return measureEach(runtime, matching, (container) => statsOf(runtime, container));
}
