import type {
  ListPodSandboxStatsRequest,
  PodSandboxStats,
  PodSandboxStatsFilter,
  PodSandboxStatsRequest,
  Sent,
  StreamPodSandboxStatsResponse,
} from '../cri/types.ts';
import { hasLabels, inPieces, matchesId } from '../filters.ts';
import type { Runtime } from '../runtime.ts';
import { getSandbox } from '../sandboxes/status.ts';
import { measureEach } from '../stats/measure-each.ts';
import { sandboxStats } from '../stats/sandbox-stats.ts';

/** What one sandbox uses. Throws NOT_FOUND. */
export const podSandboxStats = async (runtime: Runtime, { podSandboxId }: PodSandboxStatsRequest) => ({
  stats: await sandboxStats(runtime, getSandbox(runtime, podSandboxId)),
});

/** What the ready sandboxes that match a filter use. */
export const listPodSandboxStats = async (runtime: Runtime, { filter }: ListPodSandboxStatsRequest) => ({
  stats: await filtered(runtime, filter),
});

/** The same in pieces (KEP-5825). */
export async function* streamPodSandboxStats(
  runtime: Runtime,
  { filter }: ListPodSandboxStatsRequest,
): AsyncGenerator<Sent<StreamPodSandboxStatsResponse>> {
  for (const stats of inPieces(await filtered(runtime, filter))) yield { podSandboxStats: stats };
}

function filtered(runtime: Runtime, filter: PodSandboxStatsFilter | null): Promise<Sent<PodSandboxStats>[]> {
  const matching = runtime.sandboxes
    .list()
    .filter(
      ({ id, state, config }) =>
        state === 'SANDBOX_READY' &&
        matchesId(id, filter?.id ?? '') &&
        hasLabels(config.labels, filter?.labelSelector ?? {}),
    );
  return measureEach(runtime, matching, (sandbox) => sandboxStats(runtime, sandbox));
}
