import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeletPod } from '../pod.ts';
import type { RuntimeContainer } from '../runtime-status/runtime-status.ts';
import { HttpError } from './http-error.ts';
import type { KubeletServerOptions } from './server.ts';

export interface PodWanted {
  namespace: string;
  name: string;
  uid?: string | undefined;
}

/** How long a kubelet that has just begun may take to hear of its Pods before it says that there is none. */
const beginningMs = 5000;

/** The Pod of this node by name, and by UID when one is given. Rejects with HttpError 404. */
export async function findPod(
  { parts, podsKnown }: KubeletServerOptions,
  wanted: PodWanted,
  complaint = 'pod does not exist',
): Promise<KubeletPod> {
  const { directory } = parts;
  const look = () => {
    const pod = directory.byName(wanted.namespace, wanted.name);
    return wanted.uid && directory.resolveUid(wanted.uid) !== pod?.metadata.uid ? undefined : pod;
  };
  let pod = look();
  if (!pod) {
    await Promise.race([podsKnown, sleep(beginningMs, undefined, { ref: false })]);
    pod = look();
  }
  if (!pod) throw new HttpError(404, complaint);
  return pod;
}

/** The running container of that name. Throws HttpError 500 (`container not found ("x")`). */
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
