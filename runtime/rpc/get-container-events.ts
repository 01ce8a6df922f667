import type { ContainerEventResponse, Sent } from '../cri/types.ts';
import type { Runtime } from '../runtime.ts';

/** Sends what happens to sandboxes and containers, from now on until the client ends the call. */
export function getContainerEvents(
  runtime: Runtime,
  send: (event: Sent<ContainerEventResponse>) => void,
): Disposable {
  return runtime.events.subscribe(send);
}
