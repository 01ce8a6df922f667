import type { StopPodSandboxRequest, StopPodSandboxResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { releaseSandbox } from '../sandboxes/release-sandbox.ts';

/** Ends a sandbox with everything in it. Idempotent, also for one that is not there (api.proto, StopPodSandbox). */
export async function stopPodSandbox(
  runtime: Runtime,
  { podSandboxId }: StopPodSandboxRequest,
): Promise<StopPodSandboxResponse> {
  const sandbox = runtime.sandboxes.find(podSandboxId);
  if (sandbox !== undefined) await releaseSandbox(runtime, sandbox.id);
  return {};
}
