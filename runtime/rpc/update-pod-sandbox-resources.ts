import type { UpdatePodSandboxResourcesRequest, UpdatePodSandboxResourcesResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { getSandbox } from '../sandboxes/status.ts';

/** Takes note of a pod's new resources; its cgroup is the kubelet's, which has changed it before it calls. Throws NOT_FOUND. */
export async function updatePodSandboxResources(
  runtime: Runtime,
  { podSandboxId, overhead, resources }: UpdatePodSandboxResourcesRequest,
): Promise<UpdatePodSandboxResourcesResponse> {
  const { id, config } = getSandbox(runtime, podSandboxId);
  if (config.linux === null) return {};
  const linux = {
    ...config.linux,
    overhead: overhead ?? config.linux.overhead,
    resources: resources ?? config.linux.resources,
  };
  await runtime.sandboxes.update(id, { config: { ...config, linux } });
  return {};
}
