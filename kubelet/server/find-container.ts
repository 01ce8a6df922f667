import type { KubeletPod } from '../pod.ts';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { HttpError } from './http-error.ts';
import type { KubeletServerOptions } from './server.ts';

/** The Pod of this node by name, and by UID when one is given. Throws HttpError 404. */
export function findPod(
  { parts }: KubeletServerOptions,
  { namespace, name, uid }: { namespace: string; name: string; uid?: string | undefined },
): KubeletPod {
  const { directory } = parts;
  const pod = directory.byName(namespace, name);
  if (!pod || (uid && directory.resolveUid(uid) !== pod.metadata.uid)) {
    throw new HttpError(404, 'pod does not exist');
  }
  return pod;
}

/** The running container of that name. Throws HttpError 404 (`container not found ("x")`). */
export function findRunningContainer(
  { parts }: KubeletServerOptions,
  pod: KubeletPod,
  name: string,
): RuntimeContainer {
  const containers = parts.context.cache.get(pod.metadata.uid)?.containers ?? [];
  const found = containers.find((one) => one.name === name && one.state === 'running');
  if (found) return found;
  throw new HttpError(500, `unable to upgrade connection: container not found ("${name}")`);
}
