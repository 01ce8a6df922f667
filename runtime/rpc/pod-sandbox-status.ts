import { containerStatus } from '../containers/status.ts';
import { nowNs } from '../clock.ts';
import type { PodSandboxStatusRequest, PodSandboxStatusResponse, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { containersOf, getSandbox, sandboxStatus } from '../sandboxes/status.ts';

/** A sandbox's state with its containers'. `verbose` adds what crictl inspectp shows under info. Throws NOT_FOUND. */
export function podSandboxStatus(
  runtime: Runtime,
  { podSandboxId, verbose }: PodSandboxStatusRequest,
): Sent<PodSandboxStatusResponse> {
  const sandbox = getSandbox(runtime, podSandboxId);
  const { netnsPath, cgroupParent, config } = sandbox;
  const pause = sandbox.state === 'SANDBOX_READY' ? sandbox.pause : null;
  const info = { pid: pause?.pid ?? 0, netnsPath, cgroupParent, config };
  return {
    status: sandboxStatus(sandbox),
    containersStatuses: containersOf(runtime, sandbox.id).map((container) =>
      containerStatus(runtime, container),
    ),
    timestamp: nowNs(),
    ...(verbose ? { info: { info: JSON.stringify(info) } } : {}),
  };
}
