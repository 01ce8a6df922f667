import type { RemovePodSandboxRequest, RemovePodSandboxResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';
import { releaseSandbox } from '../sandboxes/release-sandbox.ts';
import { containersOf, publishSandboxEvent } from '../sandboxes/status.ts';
import { removeOne } from './remove-container.ts';

/** Removes a sandbox and its containers, ending what still runs. Idempotent (api.proto, RemovePodSandbox). */
export async function removePodSandbox(
  runtime: Runtime,
  { podSandboxId }: RemovePodSandboxRequest,
): Promise<RemovePodSandboxResponse> {
  const sandbox = runtime.sandboxes.find(podSandboxId);
  if (sandbox === undefined) return {};
  await releaseSandbox(runtime, sandbox.id);
  for (const container of containersOf(runtime, sandbox.id)) await removeOne(runtime, container);
  await runtime.sandboxes.remove(sandbox.id);
  publishSandboxEvent(runtime, sandbox.id, 'CONTAINER_DELETED_EVENT', { sandbox });
  return {};
}
