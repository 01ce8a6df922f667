import { containerStatus as statusOf, getContainer } from '../containers/status.ts';
import type { ContainerStatusRequest, ContainerStatusResponse, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** A container's state. `verbose` adds what crictl inspect shows under info. Throws NOT_FOUND. */
export function containerStatus(
  runtime: Runtime,
  { containerId, verbose }: ContainerStatusRequest,
): Sent<ContainerStatusResponse> {
  const container = getContainer(runtime, containerId);
  const status = statusOf(runtime, container);
  if (!verbose) return { status };
  const { sandboxId, config, cgroupPath } = container;
  // What has ended has left its number to others.
  const start = status.state === 'CONTAINER_RUNNING' ? container.start : null;
  const info = {
    sandboxID: sandboxId,
    pid: start?.pid ?? 0,
    shimPid: start?.shim.pid ?? 0,
    cgroupPath,
    config,
  };
  return { status, info: { info: JSON.stringify(info) } };
}
