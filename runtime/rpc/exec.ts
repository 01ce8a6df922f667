import { runningStart } from '../containers/exec.ts';
import { getContainer } from '../containers/status.ts';
import type { ExecRequest, ExecResponse } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** A URL of the streaming server where the command runs once a client connects. */
export function exec(runtime: Runtime, request: ExecRequest): ExecResponse {
  const container = getContainer(runtime, request.containerId);
  runningStart(container);
  return { url: runtime.streaming.getExecUrl({ ...request, containerId: container.id }) };
}
