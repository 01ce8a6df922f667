import type { PortForwardRequest, PortForwardResponse } from '../cri/types.ts';
import { CriError } from '../errors.ts';
import type { Runtime } from '../runtime.ts';
import { getSandbox } from '../sandboxes/status.ts';

/** A URL of the streaming server where a client reaches ports of the sandbox. */
export function portForward(runtime: Runtime, request: PortForwardRequest): PortForwardResponse {
  const sandbox = getSandbox(runtime, request.podSandboxId);
  if (sandbox.state !== 'SANDBOX_READY')
    throw new CriError('UNKNOWN', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
  return { url: runtime.streaming.getPortForwardUrl({ ...request, podSandboxId: sandbox.id }) };
}
