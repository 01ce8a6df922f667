import { runtimeClasses } from '../../client/resources.ts';
import type { Client } from '../../client/rest.ts';
import type { KubeletPod } from '../pod.ts';

/**
 * The runtime handler of the Pod's RuntimeClass, which the runtime refuses when it has none of that name; empty means the runtime's own
 * choice (upstream: runtimeclass_manager.go). Rejects when there is no such class.
 */
export async function runtimeHandlerOf(client: Client, { spec }: KubeletPod): Promise<string> {
  if (!spec.runtimeClassName) return '';
  const { handler } = await client.resource(runtimeClasses).get({ name: spec.runtimeClassName });
  return handler;
}
