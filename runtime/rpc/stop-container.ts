import { stopRunningContainer } from '../containers/stop-container.ts';
import type { StopContainerRequest, StopContainerResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** Ends a container, at the latest after `timeout` seconds. Idempotent, also for one that is not there (api.proto, StopContainer). */
export async function stopContainer(
  runtime: Runtime,
  { containerId, timeout }: StopContainerRequest,
): Promise<StopContainerResponse> {
  const container = runtime.containers.find(containerId);
  if (container !== undefined) await stopRunningContainer(runtime, container, { graceMs: timeout * 1000 });
  return {};
}
