import { runningStart } from '../containers/exec.ts';
import { getContainer } from '../containers/status.ts';
import type { AttachRequest, AttachResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** A URL of the streaming server where a client joins the container's main process. */
export function attach(runtime: Runtime, request: AttachRequest): AttachResponse {
  const container = getContainer(runtime, request.containerId);
  runningStart(container);
  return { url: runtime.streaming.getAttachUrl({ ...request, containerId: container.id }) };
}
