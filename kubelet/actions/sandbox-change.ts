import type { KubeletPod } from '../pod.ts';
import type { PodRuntimeStatus } from '../runtime-status/runtime-status.ts';

/** Whether the Pod needs a (new) sandbox; `attempt` is the number of the sandbox to use or to make. */
export interface SandboxChange {
  changed: boolean;
  attempt: number;
  sandboxId: string;
}

/** The rules of upstream's PodSandboxChanged: none, not ready, several, other network namespace, or no address. */
export function sandboxChange(pod: KubeletPod, { sandboxes }: PodRuntimeStatus): SandboxChange {
  const [newest] = sandboxes;
  if (!newest) return { changed: true, attempt: 0, sandboxId: '' };
  const attempt = newest.metadata?.attempt ?? 0;
  const again = { changed: true, attempt: attempt + 1, sandboxId: newest.id };
  const ready = sandboxes.filter(({ state }) => state === 'SANDBOX_READY');
  if (ready.length > 1 || newest.state !== 'SANDBOX_READY') return again;
  const hostNetwork = pod.spec.hostNetwork === true;
  const network = newest.linux?.namespaces?.options?.network ?? 'POD';
  if (network !== (hostNetwork ? 'NODE' : 'POD')) return { ...again, sandboxId: '' };
  if (!hostNetwork && newest.network && newest.network.ip === '') return again;
  return { changed: false, attempt, sandboxId: newest.id };
}
