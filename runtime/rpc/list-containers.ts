import { stateOf } from '../containers/record.ts';
import { containerListEntry } from '../containers/status.ts';
import type {
  Container,
  ContainerFilter,
  ListContainersRequest,
  Sent,
  StreamContainersResponse,
} from '../cri/types.ts';
import { hasLabels, inPieces, matchesId } from '../filters.ts';
import type { Runtime } from '../runtime.ts';

/** The containers that match a filter. */
export const listContainers = (runtime: Runtime, { filter }: ListContainersRequest) => ({
  containers: filtered(runtime, filter),
});

/** The same in pieces (KEP-5825). */
export function* streamContainers(
  runtime: Runtime,
  { filter }: ListContainersRequest,
): Generator<Sent<StreamContainersResponse>> {
  for (const containers of inPieces(filtered(runtime, filter))) yield { containers };
}

function filtered(runtime: Runtime, filter: ContainerFilter | null): Sent<Container>[] {
  return runtime.containers
    .list()
    .filter(
      (container) =>
        matchesId(container.id, filter?.id ?? '') &&
        matchesId(container.sandboxId, filter?.podSandboxId ?? '') &&
        (filter?.state == null || filter.state.state === stateOf(container)) &&
        hasLabels(container.config.labels, filter?.labelSelector ?? {}),
    )
    .map(containerListEntry);
}
