import type {
  ListPodSandboxRequest,
  PodSandbox,
  PodSandboxFilter,
  Sent,
  StreamPodSandboxesResponse,
} from '../cri/types.ts';
import { hasLabels, inPieces, matchesId } from '../filters.ts';
import type { Runtime } from '../runtime.ts';
import { sandboxListEntry } from '../sandboxes/status.ts';

/** The sandboxes that match a filter. */
export const listPodSandbox = (runtime: Runtime, { filter }: ListPodSandboxRequest) => ({
  items: filtered(runtime, filter),
});

/** The same in pieces (KEP-5825). */
export function* streamPodSandboxes(
  runtime: Runtime,
  { filter }: ListPodSandboxRequest,
): Generator<Sent<StreamPodSandboxesResponse>> {
  for (const podSandboxes of inPieces(filtered(runtime, filter))) yield { podSandboxes };
}

function filtered(runtime: Runtime, filter: PodSandboxFilter | null): Sent<PodSandbox>[] {
  return runtime.sandboxes
    .list()
    .filter(
      ({ id, state, config }) =>
        matchesId(id, filter?.id ?? '') &&
        (filter?.state == null || filter.state.state === state) &&
        hasLabels(config.labels, filter?.labelSelector ?? {}),
    )
    .map(sandboxListEntry);
}
