import { stateOf } from '../containers/record.ts';
import { getContainer } from '../containers/status.ts';
import type { ReopenContainerLogRequest, ReopenContainerLogResponse } from '../cri/types.ts';
import { CriError } from '../errors.ts';
import { connectToContainer } from '../native/index.ts';
import type { Runtime } from '../runtime.ts';

/** Goes on writing a running container's output to a new file of the same name; the kubelet has moved the old one away. */
export async function reopenContainerLog(
  runtime: Runtime,
  { containerId }: ReopenContainerLogRequest,
): Promise<ReopenContainerLogResponse> {
  const container = getContainer(runtime, containerId);
  if (stateOf(container) !== 'CONTAINER_RUNNING') throw new CriError('UNKNOWN', 'container is not running');
  await using connection = await connectToContainer(runtime.containers.volatileDirectoryOf(container.id));
  await connection.reopenLog();
  return {};
}
